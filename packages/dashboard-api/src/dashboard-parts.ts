import type { FastifyBaseLogger } from "fastify";
import type { AuditLog } from "./audit/audit-log.js";
import type { BackgroundTasks } from "./background-tasks.js";
import type { Changes } from "./changes.js";
import type { Database } from "./db/tables.js";
import type { FederationService } from "./federation/federation-service.js";
import type { RequestGuard } from "./http/request-guard.js";
import type { SessionCookie } from "./http/session-cookie.js";
import type { KitService } from "./kits/kit-service.js";
import type { Mailer } from "./mail/mailer.js";
import type { Metrics } from "./metrics/metrics.js";
import type { OidcSignIn } from "./oidc/oidc-sign-in.js";
import type { Attempts } from "./people/attempts.js";
import type { DeviceCookie } from "./people/device-cookie.js";
import type { OneTimeLinks } from "./people/one-time-links.js";
import type { SecondFactor } from "./people/second-factor.js";
import type { Sessions } from "./people/sessions.js";
import type { Passwords } from "./secrets/passwords.js";
import type { RandomBytes } from "./secrets/tokens.js";
import type { Vault } from "./secrets/vault.js";

/** What handlers are made from. An area takes from it what it needs. */
export interface DashboardParts {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: RandomBytes;
  readonly logger: FastifyBaseLogger;
  readonly vault: Vault;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly attempts: Attempts;
  /** Browsers in which people have signed in before. */
  readonly devices: DeviceCookie;
  readonly secondFactor: SecondFactor;
  readonly links: OneTimeLinks;
  readonly oidc: OidcSignIn;
  /** `undefined` where this dashboard sends no mail. */
  readonly mailer: Mailer | undefined;
  readonly guard: RequestGuard;
  readonly cookie: SessionCookie;
  readonly audit: AuditLog;
  readonly changes: Changes;
  /** The CA and kits. */
  readonly kits: KitService;
  /** The federation at work. */
  readonly federation: FederationService;
  readonly metrics: Metrics;
  /** For what goes on after an answer. */
  readonly tasks: BackgroundTasks;
  /** Aborts when the dashboard stops: what answers without an end, such as a stream of events, ends then. */
  readonly stopping: AbortSignal;
  /** Everything that is not in the database is kept here. */
  readonly dataFolder: string;
  /** The address under which people reach the dashboard, without a slash at its end; links begin with it. */
  readonly publicUrl: () => string;
}

import type { FastifyBaseLogger } from "fastify";
import type { AuditLog } from "./audit/audit-log.js";
import type { Changes } from "./changes.js";
import type { Database } from "./db/tables.js";
import type { RequestGuard } from "./http/request-guard.js";
import type { SessionCookie } from "./http/session-cookie.js";
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
  readonly guard: RequestGuard;
  readonly cookie: SessionCookie;
  readonly audit: AuditLog;
  readonly changes: Changes;
  /** Everything that is not in the database is kept here. */
  readonly dataFolder: string;
  /** The address under which people reach the dashboard, without a slash at its end; links begin with it. */
  readonly publicUrl: () => string;
}

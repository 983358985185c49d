import { randomBytes as cryptoRandomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { limits } from "@flare-ts/contracts";
import { makeFolder } from "@flare-ts/provision/kit";
import type { FastifyBaseLogger } from "fastify";
import { pino } from "pino";
import { areas } from "./areas.js";
import { AuditLog } from "./audit/audit-log.js";
import { BackgroundTasks } from "./background-tasks.js";
import { Changes } from "./changes.js";
import { claimDataFolder } from "./claim-data-folder.js";
import { allRoutes } from "./contract/routes.js";
import type { DashboardParts } from "./dashboard-parts.js";
import { openDatabase } from "./db/open-database.js";
import type { FederationLink } from "./federation/federation-link.js";
import { openFederation } from "./federation/federation-service.js";
import type { LiveFeedInit } from "./federation/live-feed.js";
import type { Implementation } from "./http/implement.js";
import { checkCoverage } from "./http/register-routes.js";
import { RequestGuard } from "./http/request-guard.js";
import { SessionCookie } from "./http/session-cookie.js";
import { openKitService } from "./kits/kit-service.js";
import type { Mailer } from "./mail/mailer.js";
import { SmtpMailer, type SmtpSettings } from "./mail/smtp-mailer.js";
import { Metrics } from "./metrics/metrics.js";
import { addOwnGauges } from "./metrics/own-gauges.js";
import type { OidcProviderSettings } from "./oidc/oidc-provider.js";
import { OidcSignIn } from "./oidc/oidc-sign-in.js";
import { Attempts } from "./people/attempts.js";
import { DeviceCookie } from "./people/device-cookie.js";
import { createSetUpLink } from "./people/implement-set-up.js";
import { OneTimeLinks } from "./people/one-time-links.js";
import { SecondFactor } from "./people/second-factor.js";
import { defaultSessionLimits, type SessionLimits, Sessions } from "./people/sessions.js";
import { openVault } from "./secrets/open-vault.js";
import { defaultScryptCost, Passwords, type ScryptCost } from "./secrets/passwords.js";
import type { RandomBytes } from "./secrets/tokens.js";

/** Parts that can be exchanged, by tests above all. */
export interface DashboardComponents {
  /** Milliseconds since the epoch. @default the clock of this machine */
  readonly now?: () => number;
  /** @default `crypto.randomBytes` */
  readonly randomBytes?: RandomBytes;
  /** @default one that says nothing */
  readonly logger?: FastifyBaseLogger;
  /** @default SMTP where it is set, else none */
  readonly mailer?: Mailer;
  /** @default a connection to the project's server */
  readonly federation?: FederationLink;
}

export interface OpenDashboardInit {
  /** Where the dashboard keeps its key, its certificate, the embedded database and the CA's workspace; made when it is not there. */
  readonly dataFolder: string;
  /** Of a PostgreSQL database. @default the embedded one */
  readonly databaseUrl?: string | undefined;
  /** The address under which people reach it, such as `https://flare.example.org`. @default where it listens */
  readonly publicUrl?: string | undefined;
  /** Whether browsers reach it over TLS; cookies are bound to that. @default true */
  readonly isSecure?: boolean;
  /** The mail server. @default none: links are shown for an admin to pass on */
  readonly smtp?: SmtpSettings | undefined;
  /** Institutions whose sign-in can be used. @default none */
  readonly oidcProviders?: readonly OidcProviderSettings[];
  /** How long sessions last. */
  readonly sessionLimits?: Partial<SessionLimits>;
  /** Of the CA's key. @default asked for when the project is frozen, and again after each start */
  readonly caPassphrase?: string | undefined;
  /** Admin kit of a federation that exists already. @default the dashboard's own, made when the project is frozen */
  readonly adminKit?: string | undefined;
  /** Whether clear text may leave this machine on the way to the server, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  /** Folder with the examples that are offered as job templates. @default those that come with this package */
  readonly templatesFolder?: string | undefined;
  /** How events are gathered for pages, and how often a stream says that it lives. */
  readonly liveTimes?: LiveFeedInit;
  /** Cost of hashing a password. @default 2^17 blocks of 1 KiB */
  readonly scryptCost?: ScryptCost;
}

/** A dashboard that is ready to answer, without a socket of its own. */
export interface Dashboard {
  readonly parts: DashboardParts;
  readonly implementations: readonly Implementation[];
  /** The one-time link by which the first project admin comes in, made anew; `undefined` once there is one. */
  setUpLink(): Promise<string | undefined>;
  /** Says where it can be reached, once that is known; a public address that was set stays. */
  reachedAt(url: string): void;
  /** Ends answers that would go on for ever; `close` does so too. */
  stopStreams(): void;
  /** Lets go of the database and everything else. */
  close(): Promise<void>;
}

/**
 * Opens database, key and everything that handlers need. `dashboardPlugin` answers requests with it; `startDashboard` does
 * both and listens.
 *
 * @throws FlareError `dashboard/already-running`, `dashboard/invalid-settings`, `dashboard/database-unusable`, `store/unusable`,
 * `project/passphrase-wrong`
 */
export async function openDashboard(init: OpenDashboardInit, components: DashboardComponents = {}): Promise<Dashboard> {
  const { dataFolder } = init;
  const { now = Date.now } = components;
  await makeFolder(dataFolder, { mode: 0o700 });
  const release = claimDataFolder(dataFolder, now());
  try {
    const dashboard = await openClaimed(init, components);
    return {
      ...dashboard,
      async close() {
        await dashboard.close().finally(release);
      },
    };
  } catch (reason) {
    release();
    throw reason;
  }
}

async function openClaimed(init: OpenDashboardInit, components: DashboardComponents): Promise<Dashboard> {
  const { dataFolder } = init;
  const { now = Date.now, randomBytes = cryptoRandomBytes, logger = pino({ level: "silent" }) } = components;
  let publicUrl = init.publicUrl?.replace(/\/+$/, "");
  const vault = await openVault({ randomBytes }, { dataFolder });
  const isSecure = init.isSecure ?? true;
  // Settings that are wrong are refused before anything is opened that would have to be closed.
  const oidc = new OidcSignIn({ vault, now }, { providers: init.oidcProviders ?? [], isSecure });
  const mailer = components.mailer ?? (init.smtp === undefined ? undefined : new SmtpMailer(init.smtp));
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  const db = await openDatabase({ logger }, { dataFolder, databaseUrl: init.databaseUrl });
  const cookie = new SessionCookie({ isSecure });
  const sessions = new Sessions({ db, now, randomBytes }, { limits: { ...defaultSessionLimits, ...init.sessionLimits } });
  // Node's pool has four threads: one stays free for files.
  const passwords = new Passwords(
    { randomBytes },
    { cost: init.scryptCost ?? defaultScryptCost, atOnce: Math.min(availableParallelism(), 3), maxWaiting: limits.waitingPasswords },
  );
  const stopping = new AbortController();
  const metrics = new Metrics();
  addOwnGauges(metrics, { db, sessions });
  const tasks = new BackgroundTasks({ logger });
  const guard = new RequestGuard({ sessions, vault, cookie }, { publicOrigin });
  const [audit, changes] = [new AuditLog({ now, randomBytes }), new Changes()];
  const kits = await openKitService(
    { db, now, randomBytes, logger, audit, changes, tasks },
    { dataFolder, caPassphrase: init.caPassphrase, isElsewhere: init.adminKit !== undefined },
  ).catch(async (reason: unknown) => {
    await db.destroy();
    throw reason;
  });
  const federation = await openFederation({ db, now, logger, kits, changes, dataFolder }, { ...init, link: components.federation }).catch(
    async (reason: unknown) => {
      await kits.close();
      await db.destroy();
      throw reason;
    },
  );
  const parts: DashboardParts = {
    db,
    now,
    randomBytes,
    logger,
    vault,
    passwords,
    attempts: new Attempts({ db, vault, now }),
    devices: new DeviceCookie({ vault, now, randomBytes }, { isSecure }),
    secondFactor: new SecondFactor({ vault, now, randomBytes }),
    links: new OneTimeLinks({ now, randomBytes }),
    oidc,
    mailer,
    sessions,
    guard,
    cookie,
    audit,
    changes,
    kits,
    federation,
    tasks,
    metrics,
    stopping: stopping.signal,
    dataFolder,
    publicUrl: () => publicUrl ?? "",
  };
  const implementations = areas.flatMap((area) => area(parts));
  checkCoverage(allRoutes, implementations);
  return {
    parts,
    implementations,
    reachedAt(url) {
      publicUrl ??= url;
    },
    setUpLink: () => createSetUpLink(parts),
    stopStreams: () => stopping.abort(),
    async close() {
      stopping.abort();
      await federation.close();
      await kits.close();
      await tasks.drained();
      await db.destroy();
    },
  };
}

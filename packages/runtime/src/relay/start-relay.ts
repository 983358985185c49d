import { mkdir } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts/errors";
import { type Kit, type KitListening, readKit, readLogConfig, TrustKeeper, verifyKit } from "@flare-ts/provision/kit";
import { CertificateRenewal } from "../identity/certificate-renewal.js";
import { graceOf } from "../identity/open-identity.js";
import { openLiveIdentity } from "../identity/open-live-identity.js";
import { WireRenewal } from "../identity/wire-renewal.js";
import { FileAuditLog } from "../logging/audit-log.js";
import { createLogger, errorField, type LogFields, type LogLine } from "../logging/logger.js";
import { endOnCrash } from "../process/end-on-crash.js";
import { claimInstance } from "../process/instance-lock.js";
import { refuseDebugger } from "../process/no-debugger.js";
import { StopList } from "../process/stop-list.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { auditSessions } from "../server/audit-sessions.js";
import { ServerLink } from "../site/server-link.js";
import { SiteTrust } from "../site/site-trust.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { softwareVersion } from "../version.js";
import { listenerKeysOf } from "./listener-keys.js";
import { RelayListener } from "./relay-listener.js";
import { Upstream } from "./upstream.js";

export interface StartRelayInit {
  readonly kitDir: string;
  /** Folder for what the relay keeps. @default the kit */
  readonly workspace?: string | undefined;
  /** Port in place of that of local/comm_config.json. */
  readonly port?: number | undefined;
  /** Address to listen on. @default every address; loopback for clear text that is not allowed to leave the machine */
  readonly host?: string | undefined;
  /** Whether clear text may leave this machine, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  readonly onLog?: ((line: LogLine) => void) | undefined;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
}

/** A relay that runs in this process. */
export interface RunningRelay {
  readonly name: string;
  readonly port: number;
  /** Closes every connection and stops. */
  stop(): Promise<void>;
}

const stopDeadlineMs = 15_000;

/**
 * Starts a relay from its startup kit and resolves when it is attached to its server and listens for those below it. From then on it comes
 * back by itself whenever its connection breaks. A disk that is full is waited for.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, `transfer/cannot-listen`, `transfer/clear-refused`, or
 * why the server refuses (`auth/…`).
 */
export async function startRelay(init: StartRelayInit): Promise<RunningRelay> {
  const onFull = (error: unknown): void =>
    init.onLog?.({ level: "error", message: "the start waits for room on the disk", fields: { error: errorField(error) } });
  return await whenThereIsRoom(() => startOnce(init), { signal: init.signal, onFull });
}

async function startOnce(init: StartRelayInit): Promise<RunningRelay> {
  refuseDebugger();
  const kit = await readKit(init.kitDir);
  const listening = listeningOf(kit);
  const { workspace = kit.dir, isClearAllowed = false } = init;
  const keeper = await TrustKeeper.open(kit, { workspace });
  await verifyKit(kit, { trust: keeper.trust, isCertificateJudged: false });
  const { level } = await readLogConfig(kit);
  await mkdir(workspace, { recursive: true });
  const now = Date.now;
  const parts = new StopList();
  try {
    const lock = claimInstance(workspace, now());
    parts.add("instance lock", () => lock.release());
    const log = createLogger({ folder: workspace, level, onLine: init.onLog });
    const { logger } = log;
    parts.add("log", () => log.close());
    parts.add("crash", endOnCrash(logger));
    const warn = (message: string, fields: LogFields): void => logger.warn(message, fields);
    const opened = await openLiveIdentity({ kit, workspace, trust: keeper.trust, nowMs: now(), warn });
    const { identity } = opened;
    const audit = new FileAuditLog({ logger, now }, { folder: workspace });
    const refusals = auditSessions({ audit, logger, onEnded: () => undefined, now });
    parts.add("refusals", () => refusals.tellRest(true));

    const random = Math.random;
    const wire = new WireRenewal({ ...opened, keeper, now, live: () => link.live }, { target: { ...endpointOf(kit), isClearAllowed } });
    const renewal = new CertificateRenewal({ identity, ask: wire.ask, logger, now, random });
    const link: ServerLink = new ServerLink({
      dial: async (signal) => {
        const connection = await wire.dial(signal);
        if (connection.shouldRenew) renewal.renewNow();
        return connection;
      },
      logger,
      random,
      now,
      stallClock: systemStallClock,
      hello: () => ({ softwareVersion, jobIds: [], trustNumber: keeper.trust.number }),
      onMessage: ({ message }) => {
        if (message.case === "trustList") void trust.take(message.value);
        else if (message.case === "certificateReady") renewal.renewNow();
      },
      trust: keeper.trust,
      onContact: (contact) => {
        lock.tell(contact);
        // Whom the server does not let in any more carries nothing of others either.
        if (contact.state === "refused") listener.cutAll();
      },
    });
    // A relay has no jobs whose signers could be revoked.
    const trust = new SiteTrust({ keeper, link, agent: { checkSigners: async () => undefined }, audit, logger });
    parts.add("trust", () => trust.settled());
    const upstream = new Upstream({ keys: identity, environment: process.env }, { kit, isClearAllowed });
    const { connectionSecurity } = listening;
    const host = init.host ?? (connectionSecurity === "clear" && !isClearAllowed ? "127.0.0.1" : "0.0.0.0");
    const listener = new RelayListener(
      {
        upstream,
        keys: () => listenerKeysOf(listening, identity, now()),
        trust: keeper.trust,
        logger,
        onRefused: (address, reason) => refusals.audit({ kind: "refused", step: "tls", code: "auth/tls-refused", reason, address }),
        now,
      },
      { host, port: init.port ?? listening.port, connectionSecurity, isClearAllowed, renewalGraceMs: graceOf(kit) },
    );
    const renewTls = (): void => {
      upstream.renewTls();
      listener.renewTls();
    };
    parts.add("renewed identity", identity.onReplaced(renewTls));
    parts.add(
      "trust in connections",
      keeper.follow(() => {
        renewTls();
        listener.cutUntrusted();
      }),
    );
    parts.add("link", () => link.stop());
    const stopEarly = (): void => void link.stop();
    init.signal?.addEventListener("abort", stopEarly, { once: true });
    await link.start();
    init.signal?.removeEventListener("abort", stopEarly);
    renewal.start();
    parts.add("renewal", () => renewal.stop());
    const port = await listener.start();
    parts.add("listener", () => listener.stop());
    lock.update("ready", port);
    const above = `${kit.endpoint.host}:${kit.endpoint.port}`;
    logger.info("relay started", { relay: kit.name, project: kit.project, host, port, connectionSecurity, above });
    return { name: kit.name, port, stop: () => parts.stop(stopDeadlineMs, logger) };
  } catch (error) {
    await parts.stop(stopDeadlineMs);
    throw error;
  }
}

function listeningOf(kit: Kit): KitListening {
  if (kit.listening !== undefined) return kit.listening;
  throw new FlareError("kit/wrong-type", `${kit.dir} is the kit of a ${kit.type}, not of a relay.`, {
    facts: { dir: kit.dir, type: kit.type },
  });
}

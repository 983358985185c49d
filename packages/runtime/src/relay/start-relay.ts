import type { Kit, KitListening } from "@flare-ts/provision/kit";
import { graceOf } from "../identity/open-identity.js";
import { type OpenedKit, type OpenKitInit, openKit, type RunningKit } from "../process/open-kit.js";
import { wrongKit } from "../process/wrong-kit.js";
import { auditSessions } from "../server/audit-sessions.js";
import { createRenewingLink } from "../site/renewing-link.js";
import { SiteTrust } from "../site/site-trust.js";
import { hostToListenOn } from "../transport/connection-security.js";
import { softwareVersion } from "../version.js";
import { listenerKeysOf } from "./listener-keys.js";
import { RelayListener } from "./relay-listener.js";
import { Upstream } from "./upstream.js";

export interface StartRelayInit extends OpenKitInit {
  /** Port in place of that of local/comm_config.json. */
  readonly port?: number | undefined;
  /** Address to listen on. @default every address; loopback for clear text that is not allowed to leave the machine */
  readonly host?: string | undefined;
  /** Whether clear text may leave this machine, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
}

/** A relay that runs in this process. */
export interface RunningRelay extends RunningKit {
  readonly name: string;
  readonly port: number;
  /** Closes every connection and stops. */
  stop(): Promise<void>;
}

/**
 * Starts a relay from its startup kit and resolves when it is attached to its server and listens for those below it. From then on it comes
 * back by itself whenever its connection breaks. A disk that is full is waited for.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, `transfer/cannot-listen`, `transfer/clear-refused`, or
 * why the server refuses (`auth/…`).
 */
export async function startRelay(init: StartRelayInit): Promise<RunningRelay> {
  return await openKit("relay", init, { read: listeningOf, start: (opened, listening) => run(opened, listening, init) });
}

async function run(opened: OpenedKit, listening: KitListening, init: StartRelayInit): Promise<Omit<RunningRelay, keyof RunningKit>> {
  const { kit, lock, logger, audit, keeper, parts, now } = opened;
  const { identity } = opened.opened;
  const { isClearAllowed = false } = init;
  const refusals = auditSessions({ audit, logger, onEnded: () => undefined, now });
  parts.add("refusals", () => refusals.tellRest(true));

  const way = createRenewingLink(
    {
      ...opened,
      random: Math.random,
      hello: () => ({ softwareVersion, jobIds: [], trustNumber: keeper.trust.number }),
      onMessage: ({ message }) => {
        if (message.case === "trustList") void trust.take(message.value);
      },
      onContact: (contact) => {
        lock.tell(contact);
        // Whom the server does not let in any more carries nothing of others either.
        if (contact.state === "refused") listener.cutAll();
      },
    },
    { isClearAllowed },
  );
  const { link } = way;
  // A relay has no jobs whose signers could be revoked.
  const trust = new SiteTrust({ keeper, link, agent: { checkSigners: async () => undefined }, audit, logger });
  parts.add("trust", () => trust.settled());
  const upstream = new Upstream({ keys: identity, environment: process.env }, { kit, isClearAllowed });
  const { connectionSecurity } = listening;
  const host = init.host ?? hostToListenOn(connectionSecurity, isClearAllowed);
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
  await way.start(init.signal);
  parts.add("renewal", () => way.renewal.stop());
  const port = await listener.start();
  parts.add("listener", () => listener.stop());
  lock.update("ready", port);
  const above = `${kit.endpoint.host}:${kit.endpoint.port}`;
  logger.info("relay started", { relay: kit.name, project: kit.project, host, port, connectionSecurity, above });
  return { name: kit.name, port };
}

function listeningOf(kit: Kit): KitListening {
  if (kit.listening !== undefined) return kit.listening;
  throw wrongKit(kit, "relay");
}

import { readKit, TrustKeeper, verifyKit } from "@flare-ts/provision/kit";
import { CertificateRenewal } from "../identity/certificate-renewal.js";
import { openLiveIdentity } from "../identity/open-live-identity.js";
import { renewalTimes } from "../identity/renewal-times.js";
import { WireRenewal } from "../identity/wire-renewal.js";
import { lineLogger } from "../logging/line-logger.js";
import { errorField, type LogFields, type Logger, type LogLine } from "../logging/logger.js";
import { wrongKit } from "../process/wrong-kit.js";
import type { Connection } from "../transport/connection.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { AdminSession } from "./admin-session.js";
import { TransferStores } from "./transfer-stores.js";

export interface ConnectAdminInit {
  /** Startup kit of the admin. */
  readonly kitDir: string;
  /** Study to work in. @default that of everybody */
  readonly study?: string | undefined;
  /** Whether clear text may leave this machine, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  /** Hears of the renewal of the admin's certificate. */
  readonly onLog?: ((line: LogLine) => void) | undefined;
  /** Ends the attempt to connect; once the session is open, each call has a signal of its own. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a session of an admin at the project's server.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), why the server refuses (`auth/…`, `study/…`), or that it cannot be
 * reached (`transfer/unreachable`).
 */
export async function connectAdmin(init: ConnectAdminInit): Promise<AdminSession> {
  const kit = await readKit(init.kitDir);
  if (kit.type !== "admin") throw wrongKit(kit, "admin");
  const keeper = await TrustKeeper.open(kit);
  await verifyKit(kit, { trust: keeper.trust, isCertificateJudged: false });
  const logger = lineLogger(init.onLog);
  const now = Date.now;
  const warn = (message: string, fields: LogFields): void => logger.warn(message, fields);
  const opened = await openLiveIdentity({ kit, workspace: kit.dir, trust: keeper.trust, nowMs: now(), warn });
  let live: Connection | undefined;
  const { identity } = opened;
  const wire = new WireRenewal(
    { ...opened, keeper, now, live: () => live },
    { target: { ...endpointOf(kit), isClearAllowed: init.isClearAllowed } },
  );
  const renewal = new CertificateRenewal({ identity, ask: wire.ask, logger, now, random: Math.random });
  const dial = async (signal: AbortSignal): Promise<Connection> => {
    const connection = await wire.dial(signal);
    live = connection;
    void connection.closed.then(() => {
      if (live === connection) live = undefined;
    });
    return connection;
  };
  const onClose = (): void => void renewal.stop();
  const stores = new TransferStores({ now }, { folder: kit.transferDir });
  const session = new AdminSession({ dial, kit, study: init.study, keeper, stores, now, identity, onClose });
  try {
    await session.open(init.signal);
  } catch (error) {
    session.close();
    throw error;
  }
  // Most commands are over before a renewal in the background would be: what is due is done first.
  if (live?.shouldRenew === true || now() >= renewalTimes(identity.certificate, 0.5).dueMs) await renewFirst(wire, logger, init.signal);
  renewal.start();
  return session;
}

async function renewFirst(wire: WireRenewal, logger: Logger, signal: AbortSignal | undefined): Promise<void> {
  try {
    if ((await wire.ask(signal)) === "renewed") logger.info("certificate renewed");
    else logger.info("certificate renewal waits to be signed by the project's administrator");
  } catch (error) {
    logger.warn("certificate could not be renewed", { error: errorField(error) });
  }
}

import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { readKit, refuseRelays, TrustKeeper, verifyKit } from "@flare-ts/provision/kit";
import { readProjectKeys } from "../session/project-keys.js";
import { FileModelStore } from "../store/file-model-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import type { Connection } from "../transport/connection.js";
import { dialServer } from "../transport/dial-server.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { AdminSession } from "./admin-session.js";

export interface ConnectAdminInit {
  /** Startup kit of the admin. */
  readonly kitDir: string;
  /** Whether clear text may leave this machine, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a session of an admin at the project's server.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), why the server refuses (`auth/…`), or that it cannot be
 * reached (`transfer/unreachable`).
 */
export async function connectAdmin(init: ConnectAdminInit): Promise<AdminSession> {
  const kit = await readKit(init.kitDir);
  refuseRelays(kit);
  if (kit.type !== "admin")
    throw new FlareError("kit/wrong-type", `${kit.dir} is the kit of a ${kit.type}, not of an admin.`, {
      facts: { dir: kit.dir, type: kit.type },
    });
  const keeper = await TrustKeeper.open(kit);
  await verifyKit(kit, { trust: keeper.trust });
  const models = await FileModelStore.open({ root: join(kit.transferDir, "models") });
  const keys = readProjectKeys(kit, keeper.trust);
  const dial = (): Promise<Connection> => dialServer({ ...endpointOf(kit), keys, isClearAllowed: init.isClearAllowed }, init.signal);
  const session = new AdminSession({ dial, kit, keeper, models, transfer: new TransferClient({ store: models }), now: Date.now });
  await session.open();
  return session;
}

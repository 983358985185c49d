import { create } from "@bufbuild/protobuf";
import { SiteHelloSchema, SiteMessageSchema } from "@flare-ts/contracts/wire";
import { type AdminSession, connectAdmin } from "../admin/index.js";
import type { LogLine } from "../logging/logger.js";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningServer, startServer } from "../server/start-server.js";
import type { Connection } from "../transport/connection.js";
import { startRelay } from "./start-relay.js";

/** A server, relay-1 below it, relay-2 below that; site-1 behind relay-1, site-2 behind relay-2, and an admin. */
export interface RelayTree {
  readonly federation: SmallFederation;
  readonly admin: AdminSession;
  /** What the relays have logged. */
  readonly lines: readonly LogLine[];
  /** Names of the sites that the server sees connected, each with its relay. */
  readonly sites: () => Promise<string[]>;
  dispose(): Promise<void>;
}

export async function openRelayTree(certificates: Readonly<Record<string, string>> = {}): Promise<RelayTree> {
  const behind = { "relay-2": "relay-1", "site-1": "relay-1", "site-2": "relay-2" };
  const relays = { names: ["relay-1", "relay-2"], behind };
  const federation = await createSmallFederation({ certificates, relays });
  const lines: LogLine[] = [];
  const onLog = (line: LogLine): void => void lines.push(line);
  const server: RunningServer = await startServer({ kitDir: federation.kitDir("localhost") });
  const first = await startRelay({ kitDir: federation.kitDir("relay-1"), onLog });
  const second = await startRelay({ kitDir: federation.kitDir("relay-2"), onLog });
  const admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  return {
    federation,
    admin,
    lines,
    sites: async () => {
      const { sites } = await admin.status();
      return sites.filter(({ state }) => state === "connected").map(({ name, relay }) => `${name} by ${relay}`);
    },
    dispose: async () => {
      admin.close();
      await second.stop();
      await first.stop();
      await server.stop();
      await federation.dispose();
    },
  };
}

/** Opens a site's control stream and greets; resolves when that is over, with the reason. */
export async function attachAsSite(connection: Connection): Promise<string> {
  const stream = connection.attach(() => undefined);
  await stream.write(
    create(SiteMessageSchema, { message: { case: "hello", value: create(SiteHelloSchema, { softwareVersion: "test" }) } }),
  );
  return await connection.closed;
}

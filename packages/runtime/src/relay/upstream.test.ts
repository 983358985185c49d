import type { TLSSocket } from "node:tls";
import { TrustKeeper } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningServer, startServer } from "../server/start-server.js";
import { readProjectKeys } from "../session/project-keys.js";
import { startTestProxy } from "../transport/proxy/connect-proxy.test-support.js";
import type { Environment } from "../transport/proxy/proxy-from-environment.js";
import { Upstream } from "./upstream.js";

let federation: SmallFederation;
let server: RunningServer;
beforeEach(async () => {
  federation = await createSmallFederation({ relays: { names: ["relay-1"], behind: {} } });
  server = await startServer({ kitDir: federation.kitDir("localhost") });
});
afterEach(async () => {
  await server.stop();
  await federation.dispose();
});

const signal = new AbortController().signal;

async function upstreamOf(environment: Environment, change: { readonly serverIdentity?: string } = {}): Promise<Upstream> {
  const kit = await federation.kit("relay-1");
  const keys = readProjectKeys(kit, (await TrustKeeper.open(kit)).trust);
  return new Upstream({ keys, environment }, { kit: { ...kit, ...change }, isClearAllowed: false });
}

describe("what is above a relay", () => {
  it("is reached through the proxy that the environment names", async () => {
    const proxy = await startTestProxy();
    try {
      const upstream = await upstreamOf({ https_proxy: `http://ann:secret@127.0.0.1:${proxy.port}`, no_proxy: "<-loopback>" });
      const socket = (await upstream.open(signal)) as TLSSocket;
      expect([socket.authorized, socket.alpnProtocol]).toEqual([true, "h2"]);
      expect(proxy.heard).toEqual([`localhost:${federation.serverPort} ann:secret`]);
      socket.destroy();
    } finally {
      await proxy.stop();
    }
  });

  it("is not taken for somebody else of the project", async () => {
    const upstream = await upstreamOf({}, { serverIdentity: "another" });
    await expect(upstream.open(signal)).rejects.toThrow(/not of the server "another"/);
  });
});

import process from "node:process";
import { connectAdmin } from "@flare-ts/runtime/admin";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startTinyproxy, tinyproxyUser } from "./documented-proxy.test-support.js";
import { lackedProxies } from "./lacked-proxies.js";
import { type ProxiedFederation, proxiedFederation } from "./proxied-federation.test-support.js";
import type { ProxyProcess } from "./start-proxy.js";

const megabytes = Number(process.env["FLARE_PROXY_MB"] ?? "4");
const lacked = lackedProxies("tinyproxy");

describe.skipIf(lacked !== "")(`a CONNECT proxy with a password${lacked}`, () => {
  let federation: ProxiedFederation;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    federation = await proxiedFederation({ sites: ["site-1"] });
    proxy = await startTinyproxy(federation.port);
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(async () => {
    await federation.dispose();
    await proxy.stop();
  });

  function surround(userinfo: string): void {
    vi.stubEnv("HTTPS_PROXY", `http://${userinfo}127.0.0.1:${proxy.port}`);
    vi.stubEnv("NO_PROXY", "<-loopback>");
  }

  it("says that the server cannot be reached from the proxy, while the server is down", async () => {
    surround(tinyproxyUser);
    await expect(connectAdmin({ kitDir: federation.adminKit })).rejects.toMatchObject({
      code: "transfer/proxy-failed",
      message: expect.stringContaining(`localhost:${federation.port}`),
    });
  });

  it("refuses a wrong password, and one that is missing; neither is shown", async () => {
    surround("hospital:not-this-one@");
    const wrong: unknown = await connectAdmin({ kitDir: federation.adminKit }).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: expect.stringMatching(/^transfer\/proxy-(authentication|forbidden)$/) });
    expect(`${JSON.stringify(wrong)}${String((wrong as Error).stack)}`).not.toContain("not-this-one");
    surround("");
    await expect(connectAdmin({ kitDir: federation.adminKit })).rejects.toMatchObject({ code: "transfer/proxy-authentication" });
  });

  it("carries a whole job of a site and an admin, with the same result as directly", async () => {
    await federation.startServer(federation.port);
    const site = await federation.startSite("site-1");
    const direct = await federation.runJob(megabytes * 1e6);
    expect(await proxy.log()).not.toContain(`Established connection to host "localhost"`);
    await site.stop();
    surround(tinyproxyUser);
    const heard = federation.lines.length;
    const proxied = await federation.startSite("site-1");
    const from = performance.now();
    expect(await federation.runJob(megabytes * 1e6)).toBe(direct);
    if (megabytes >= 100)
      process.stdout.write(`tinyproxy: ${megabytes} MB twice up and twice down in ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
    await proxied.stop();
    expect(await proxy.log()).toContain(`CONNECT localhost:${federation.port} HTTP/1.1`);
    expect(federation.lines.slice(heard).join("\n")).not.toContain("a-long-password");
  }, 600_000);

  it("refuses a port that it does not allow", async () => {
    surround(tinyproxyUser);
    const other = await proxiedFederation({ sites: [] });
    await expect(connectAdmin({ kitDir: other.adminKit })).rejects.toMatchObject({ code: "transfer/proxy-forbidden" });
    await other.dispose();
  });
});

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@flare-ts/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type StartDocumentedInit, startDocumented } from "./documented-proxy.test-support.js";
import { lackedProxies } from "./lacked-proxies.js";
import { type ProxiedFederation, proxiedFederation } from "./proxied-federation.test-support.js";
import type { ProxyProcess } from "./start-proxy.js";

// Heartbeats of a site and their answers come every 5 s. A proxy's default patience is ten times that, and more.
const aboveHeartbeat = "8s";
const belowHeartbeat = "2s";
const watchedMs = 9_000;
const megabytes = Number(process.env["FLARE_PROXY_MB"] ?? "4");

const titles = [
  "nginx, TLS passed through",
  "nginx, several servers on one port by name",
  "HAProxy, TLS passed through",
  "HAProxy, several servers on one port by name",
];
const lacked = lackedProxies("nginx", "haproxy");

describe.skipIf(lacked !== "")(`TLS passed through by a proxy${lacked}`, () => {
  let federation: ProxiedFederation;
  let direct: string;
  const proxies: ProxyProcess[] = [];

  beforeAll(async () => {
    federation = await proxiedFederation({ sites: ["site-1"] });
    const server = await federation.startServer(federation.port);
    const site = await federation.startSite("site-1");
    direct = await federation.runJob(megabytes * 1e6);
    await site.stop();
    await server.stop();
    await federation.startServer();
  }, 600_000);
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });
  afterAll(() => federation.dispose());

  it.each(titles)(
    "as documented (%s) carries models up and down with the same result as directly",
    async (title) => {
      const proxy = await start(title);
      const site = await federation.startSite("site-1");
      const heard = federation.lines.length;
      expect(await federation.runJob(megabytes * 1e6, title)).toBe(direct);
      expect(federation.troubleSince(heard)).toEqual([]);
      await site.stop();
      // The way really led through it.
      await expect.poll(() => proxy.log(), { timeout: 20_000 }).toMatch(/127\.0\.0\.1/);
    },
    600_000,
  );

  it("stays open without work for longer than both proxies wait, by its heartbeats", async () => {
    const between = await freePort();
    await start("HAProxy, TLS passed through", { patience: aboveHeartbeat, port: between });
    await start("nginx, TLS passed through", { patience: aboveHeartbeat, upstream: between });
    const site = await federation.startSite("site-1");
    const heard = federation.lines.length;
    await sleep(watchedMs);
    expect(federation.troubleSince(heard)).toEqual([]);
    await site.stop();
  });

  it("is cut where a proxy waits for less than a heartbeat: so it is the heartbeats that keep it", async () => {
    await start("HAProxy, TLS passed through", { patience: belowHeartbeat });
    const heard = federation.lines.length;
    const site = await federation.startSite("site-1");
    await expect.poll(() => federation.troubleSince(heard).join("\n"), { timeout: 20_000 }).toContain("connection to server is over");
    await site.stop();
  });

  async function start(title: string, init: Partial<StartDocumentedInit> = {}): Promise<ProxyProcess> {
    const proxy = await startDocumented(title, { port: federation.port, upstream: federation.serverPort, ...init });
    proxies.unshift(proxy);
    return proxy;
  }
});

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../federation/free-port.js";
import { documentedConfiguration } from "./documented-configuration.js";
import { lackedProxies, type ProxyProgram } from "./lacked-proxies.js";
import { type ProxiedFederation, proxiedFederation } from "./proxied-federation.test-support.js";
import { type ProxyProcess, startProxy } from "./start-proxy.js";

// Heartbeats of a site and their answers come every 5 s. A proxy's default patience is ten times that, and more.
const aboveHeartbeat = "7s";
const belowHeartbeat = "2s";
const watchedMs = 9_000;
const megabytes = Number(process.env["FLARE_PROXY_MB"] ?? "4");

const cases: readonly (readonly [ProxyProgram, string])[] = [
  ["nginx", "nginx, TLS passed through"],
  ["nginx", "nginx, several servers on one port by name"],
  ["haproxy", "HAProxy, TLS passed through"],
  ["haproxy", "HAProxy, several servers on one port by name"],
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

  it.each(cases)(
    "by %s as documented (%s) carries models up and down with the same result as directly",
    async (program, title) => {
      const proxy = await start(program, title, { patience: "1h" });
      const site = await federation.startSite("site-1");
      const heard = federation.lines.length;
      const from = performance.now();
      expect(await federation.runJob(megabytes * 1e6)).toBe(direct);
      if (megabytes >= 100)
        process.stdout.write(`${title}: ${megabytes} MB twice up and twice down in ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
      expect(troubleSince(heard)).toEqual([]);
      await site.stop();
      // The way really led through it.
      await expect.poll(() => proxy.log(), { timeout: 10_000 }).toMatch(/127\.0\.0\.1/);
    },
    600_000,
  );

  it("stays open without work for longer than both proxies wait, by its heartbeats", async () => {
    const between = await freePort();
    await start("haproxy", "HAProxy, TLS passed through", { patience: aboveHeartbeat, port: between });
    await start("nginx", "nginx, TLS passed through", { patience: aboveHeartbeat, upstream: between });
    const site = await federation.startSite("site-1");
    const heard = federation.lines.length;
    await sleep(watchedMs);
    expect(troubleSince(heard)).toEqual([]);
    await site.stop();
  });

  it("is cut where a proxy waits for less than a heartbeat: so it is the heartbeats that keep it", async () => {
    await start("haproxy", "HAProxy, TLS passed through", { patience: belowHeartbeat });
    const heard = federation.lines.length;
    const site = await federation.startSite("site-1");
    await expect.poll(() => troubleSince(heard).join("\n"), { timeout: 10_000 }).toContain("connection to server is over");
    await site.stop();
  });

  function troubleSince(index: number): readonly string[] {
    return federation.lines.slice(index).filter((line) => /is over|cannot be reached|is silent/.test(line));
  }

  async function start(
    program: ProxyProgram,
    title: string,
    {
      patience,
      port = federation.port,
      upstream = federation.serverPort,
    }: { readonly patience: string; readonly port?: number; readonly upstream?: number },
  ): Promise<ProxyProcess> {
    const proxy = await startProxy({
      program,
      port,
      configuration: (folder) =>
        documentedConfiguration(title, {
          "10.0.0.5:8002": `127.0.0.1:${upstream}`,
          "1h": patience,
          ...(title.includes("by name") ? { "fl.example.org": "localhost" } : {}),
          ...(program === "nginx"
            ? {
                "listen 443": `listen 127.0.0.1:${port}`,
                "/run/nginx.pid": `${folder}/pid`,
                "/var/log/nginx/flare.log": `${folder}/proxy.log`,
              }
            : { "bind :443": `bind 127.0.0.1:${port}` }),
        }),
    });
    proxies.unshift(proxy);
    return proxy;
  }
});

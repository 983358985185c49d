import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { signTrustList } from "@flare-ts/provision/kit";
import { freePort } from "@flare-ts/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type StartDocumentedInit, startDocumented, startTinyproxy, tinyproxyUser } from "./documented-proxy.test-support.js";
import { lackedProxies } from "./lacked-proxies.js";
import { type ProxiedFederation, proxiedFederation } from "./proxied-federation.test-support.js";
import { createProxyIdentity, type ProxyIdentity } from "./proxy-identity.test-support.js";
import type { ProxyProcess } from "./start-proxy.js";

const megabytes = Number(process.env["FLARE_PROXY_MB"] ?? "4");
const aboveHeartbeat = "8s";
const belowHeartbeat = "2s";
const watchedMs = 9_000;
const lacked = lackedProxies("nginx", "haproxy", "tinyproxy");
const titles = ["nginx, TLS ended here", "HAProxy, TLS ended here"];

describe.skipIf(lacked !== "")(`TLS ended by a proxy with a certificate of its own${lacked}`, () => {
  let identity: ProxyIdentity;
  /** Its server takes clear text on loopback. */
  let clear: ProxiedFederation;
  /** Its server takes TLS that the proxy begins anew. */
  let tls: ProxiedFederation;
  let direct: string;
  const proxies: ProxyProcess[] = [];

  beforeAll(async () => {
    identity = await createProxyIdentity();
    const plain = await proxiedFederation({ sites: ["site-1"] });
    await plain.startServer(plain.port);
    await plain.startSite("site-1");
    direct = await plain.runJob(megabytes * 1e6);
    await plain.dispose();
    const others = { connection_security: "tls", custom_ca_cert: identity.root };
    const federate = (security: string): Promise<ProxiedFederation> =>
      proxiedFederation({
        sites: ["site-1", "site-2"],
        settings: { server: { connection_security: security }, others },
      });
    clear = await federate("clear");
    tls = await federate("tls");
    await clear.startServer();
    await tls.startServer();
  }, 600_000);
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });
  afterAll(async () => {
    await clear.dispose();
    await tls.dispose();
    await identity.remove();
  });

  it.each(titles.flatMap((title) => [[title, "clear text on loopback"] as const, [title, "TLS begun anew"] as const]))(
    "as documented (%s, %s to the server) carries models up and down with the same result as directly",
    async (title, how) => {
      const federation = how === "TLS begun anew" ? tls : clear;
      const proxy = await startBefore(federation, title);
      const site = await federation.startSite("site-1");
      const heard = federation.lines.length;
      expect(await federation.runJob(megabytes * 1e6, `${title}, ${how}`)).toBe(direct);
      expect(federation.troubleSince(heard)).toEqual([]);
      await site.stop();
      await expect.poll(() => proxy.log(), { timeout: 20_000 }).toContain("/flare.v1.Transfer/Upload");
    },
    600_000,
  );

  it("stays open without work for longer than both proxies wait, by its heartbeats", async () => {
    const between = await freePort();
    await startBefore(clear, "HAProxy, TLS ended here", { patience: aboveHeartbeat, port: between });
    await startBefore(clear, "nginx, TLS ended here", { patience: aboveHeartbeat, upstream: between, upstreamRoots: identity.root });
    const site = await clear.startSite("site-1");
    const heard = clear.lines.length;
    await sleep(watchedMs);
    expect(clear.troubleSince(heard)).toEqual([]);
    await site.stop();
  });

  it("is cut where a proxy waits for less than a heartbeat: so it is the heartbeats that keep it", async () => {
    await startBefore(clear, "nginx, TLS ended here", { patience: belowHeartbeat });
    const heard = clear.lines.length;
    const site = await clear.startSite("site-1");
    await expect.poll(() => clear.troubleSince(heard).join("\n"), { timeout: 20_000 }).toContain("connection to server is over");
    await site.stop();
  });

  it("is reached through a CONNECT proxy with a password too", async () => {
    const tunnels = await startTinyproxy(clear.port);
    proxies.unshift(tunnels);
    await startBefore(clear, "nginx, TLS ended here");
    vi.stubEnv("HTTPS_PROXY", `http://${tinyproxyUser}127.0.0.1:${tunnels.port}`);
    vi.stubEnv("NO_PROXY", "<-loopback>");
    const site = await clear.startSite("site-1");
    expect(await clear.runJob(megabytes * 1e6, "tinyproxy and nginx, TLS ended here")).toBe(direct);
    await site.stop();
    expect(await tunnels.log()).toContain(`Established connection to host "localhost"`);
  }, 600_000);

  it("cuts a revoked site off within 2 s, and leaves the one beside it alone", async ({ annotate }) => {
    await startBefore(clear, "nginx, TLS ended here");
    const revoked = await clear.startSite("site-1");
    const other = await clear.startSite("site-2");
    const heard = clear.lines.length;
    const admin = await clear.admin();
    const list = await trustListThatRevokes("site-1");
    const isCut = (): boolean =>
      clear.troubleSince(heard).some((line) => line.startsWith("site-1:") && line.includes("connection to server is over"));
    const from = performance.now();
    const updated = admin.updateTrust(list);
    await expect.poll(isCut, { timeout: 10_000, interval: 5 }).toBe(true);
    const cutMs = performance.now() - from;
    await annotate(`revoke to cut behind nginx: ${Math.round(cutMs)} ms`);
    expect(cutMs).toBeLessThan(2_000);
    await updated;
    expect((await admin.status()).sites).toMatchObject([
      { name: "site-1", state: "disconnected" },
      { name: "site-2", state: "connected" },
    ]);
    expect(clear.troubleSince(heard).filter((line) => line.startsWith("site-2:"))).toEqual([]);
    admin.close();
    await revoked.stop();
    await other.stop();
  });

  async function startBefore(federation: ProxiedFederation, title: string, init: Partial<StartDocumentedInit> = {}): Promise<ProxyProcess> {
    const anew = federation === tls ? { upstreamRoots: join(federation.kitOf("server"), "startup", "rootCA.pem") } : {};
    const proxy = await startDocumented(title, { port: federation.port, upstream: federation.serverPort, identity, ...anew, ...init });
    proxies.unshift(proxy);
    return proxy;
  }

  async function trustListThatRevokes(name: string): Promise<string> {
    const state = JSON.parse(await readFile(join(clear.folder, "workspace", "testfed", "state", "cert.json"), "utf8")) as {
      readonly root_cert: string;
      readonly root_pri_key: string;
    };
    const nowMs = Date.now();
    return signTrustList(
      {
        project: "testfed",
        number: 1,
        issued_at_ms: nowMs,
        roots: [state.root_cert],
        revoked: [{ name, serials: [], revoked_at_ms: nowMs, reason: "keyCompromise" }],
      },
      [{ certificate: new X509Certificate(state.root_cert), privateKey: createPrivateKey(state.root_pri_key) }],
    );
  }
});

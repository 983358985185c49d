import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startDocumented, startTinyproxy, tinyproxyUser } from "./documented-proxy.test-support.js";
import { lackedProxies } from "./lacked-proxies.js";
import { type ProxiedFederation, proxiedFederation } from "./proxied-federation.test-support.js";
import { createProxyIdentity, type ProxyIdentity } from "./proxy-identity.test-support.js";
import type { ProxyProcess } from "./start-proxy.js";

const example = fileURLToPath(new URL("../../../../examples/breast-cancer/", import.meta.url));
const hospitals = ["hospital-a", "hospital-b", "hospital-c"];
const lacked = lackedProxies("nginx", "haproxy", "tinyproxy");

describe.skipIf(lacked !== "")(`the example job${lacked}`, () => {
  let identity: ProxyIdentity;
  let mutual: ProxiedFederation;
  let ended: ProxiedFederation;
  let direct: string;
  const proxies: ProxyProcess[] = [];

  beforeAll(async () => {
    identity = await createProxyIdentity();
    mutual = await proxiedFederation({ sites: hospitals });
    const others = { connection_security: "tls", custom_ca_cert: identity.root };
    ended = await proxiedFederation({ sites: hospitals, settings: { server: { connection_security: "clear" }, others } });
    for (const federation of [mutual, ended]) await giveData(federation);
    const server = await mutual.startServer(mutual.port);
    direct = await runExample(mutual);
    await server.stop();
    await mutual.startServer();
    await ended.startServer();
  }, 300_000);
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });
  afterAll(async () => {
    await mutual.dispose();
    await ended.dispose();
    await identity.remove();
  });

  it.each(["nginx, TLS passed through", "HAProxy, TLS passed through", "nginx, TLS ended here", "HAProxy, TLS ended here"])(
    "gives the same model as directly: %s",
    async (title) => {
      const federation = await putBefore(title);
      expect(await runExample(federation)).toBe(direct);
    },
  );

  it("gives it also through a CONNECT proxy with a password", async () => {
    const federation = await putBefore("nginx, TLS passed through");
    const tunnels = await startTinyproxy(federation.port);
    proxies.unshift(tunnels);
    vi.stubEnv("HTTPS_PROXY", `http://${tinyproxyUser}127.0.0.1:${tunnels.port}`);
    vi.stubEnv("NO_PROXY", "<-loopback>");
    expect(await runExample(federation)).toBe(direct);
    expect(await tunnels.log()).toContain(`Established connection to host "localhost"`);
  });

  /** Starts a proxy before the federation that fits it. */
  async function putBefore(title: string): Promise<ProxiedFederation> {
    const federation = title.includes("ended") ? ended : mutual;
    const rest = federation === ended ? { identity } : {};
    proxies.unshift(await startDocumented(title, { port: federation.port, upstream: federation.serverPort, ...rest }));
    return federation;
  }
});

async function giveData(federation: ProxiedFederation): Promise<void> {
  for (const name of hospitals) {
    const local = join(federation.kitOf(name), "local");
    const resources = JSON.parse(await readFile(join(local, "resources.json.default"), "utf8")) as object;
    await writeFile(
      join(local, "resources.json"),
      JSON.stringify({ ...resources, datasets: { wdbc: join(example, "data", name, "wdbc.csv") } }),
    );
  }
}

/** Starts the hospitals, runs the job to its end, stops them, and gives the hash of the model. */
async function runExample(federation: ProxiedFederation): Promise<string> {
  const sites = await Promise.all(hospitals.map((name) => federation.startSite(name)));
  const hash = await federation.runFolder(join(example, "job"));
  await Promise.all(sites.map((site) => site.stop()));
  return hash;
}

import { once } from "node:events";
import { appendFile, chmod, cp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningServer, startServer } from "../server/start-server.js";
import { TestProject } from "../session/test-project.test-support.js";
import { startSite } from "../site/start-site.js";
import { startTestProxy } from "../transport/proxy/connect-proxy.test-support.js";
import type { PreflightCheck, PreflightCheckName, PreflightOutcome } from "./preflight-check.js";
import { machineParts, type PreflightParts } from "./preflight-parts.js";
import { type RunPreflightInit, runPreflight } from "./run-preflight.js";

let federation: SmallFederation;
let port: number;
const ends: (() => void | Promise<unknown>)[] = [];

beforeAll(async () => {
  federation = await createSmallFederation();
  port = (await federation.kit("site-1")).endpoint.port;
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
afterAll(() => federation.dispose());

const parts: PreflightParts = { ...machineParts, environment: {} };

async function look(init: Partial<RunPreflightInit> = {}, given: Partial<PreflightParts> = {}): Promise<Seen> {
  const checks = await runPreflight({ kitDir: federation.kitDir("site-1"), measureMs: 300, ...init }, { ...parts, ...given });
  return {
    checks,
    outcomes: Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome])),
    of: (name) => {
      const check = checks.find((one) => one.name === name);
      if (check === undefined) throw new Error(`no check ${name}`);
      return check;
    },
  };
}

interface Seen {
  readonly checks: readonly PreflightCheck[];
  readonly outcomes: Partial<Record<PreflightCheckName, PreflightOutcome>>;
  readonly of: (name: PreflightCheckName) => PreflightCheck;
}

async function runServer(at = port): Promise<RunningServer> {
  const server = await startServer({ kitDir: federation.kitDir("localhost"), port: at });
  ends.push(() => server.stop());
  return server;
}

/** Lets a server of the test listen where the kits lead. */
async function listen(server: Server): Promise<void> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => undefined)));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
}

describe("a kit of a site whose server runs", () => {
  it("passes every check, and is told what a model of some size takes", async () => {
    await runServer();
    const { checks, outcomes, of } = await look({ modelBytes: 400_000_000 });
    expect(Object.keys(outcomes)).toEqual([
      "kit",
      "certificate",
      "settings",
      "disk",
      "proxy",
      "name",
      "port",
      "tls",
      "http2",
      "clock",
      "server",
      "bandwidth",
    ]);
    expect(checks.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(of("bandwidth").found).toMatch(/MB\/s down, .* up: a model of 400 MB comes in [\d.]+ s and goes out in [\d.]+ s\./);
    const { seconds_up: seconds, up_bytes_per_second: rate } = of("bandwidth").facts as { seconds_up: number; up_bytes_per_second: number };
    expect(seconds * rate).toBeCloseTo(400_000_000, -7);
    expect(of("tls").facts["chain"]).toMatchObject([
      { subject: expect.stringContaining("localhost") },
      { issuer: expect.stringContaining("small") },
    ]);
  });

  it("is warned of a data set that is not there", async () => {
    await runServer();
    const kitDir = federation.kitDir("site-2");
    const resources = join(kitDir, "local", "resources.json");
    await writeFile(resources, JSON.stringify({ format_version: 2, components: [], datasets: { here: kitDir, scans: "/nowhere/scans" } }));
    ends.push(() => rm(resources));
    expect((await look({ kitDir })).of("settings")).toMatchObject({
      outcome: "warning",
      found: "data set 'scans' at /nowhere/scans of local/resources.json cannot be read.",
    });
  });

  it("is told of a mistake in its privacy policy, with its line, and does not start with it", async () => {
    await runServer();
    const kitDir = federation.kitDir("site-2");
    const file = join(kitDir, "local", "privacy.json");
    await writeFile(file, '{\n  "scopes": [{ "name": "private" }],\n  "default_scope": "privat"\n}');
    ends.push(() => rm(file));
    expect((await look({ kitDir })).of("settings")).toMatchObject({
      outcome: "problem",
      found: `${file} has a mistake. Line 3: 'privat' is none of the scopes; did you mean 'private'? (at default_scope).`,
    });
    await expect(startSite({ kitDir })).rejects.toMatchObject({ code: "kit/local-invalid", problems: [{ file, line: 3 }] });
    await writeFile(file, '{ "scopes": [{ "name": "private" }] }');
    expect((await look({ kitDir })).of("settings")).toMatchObject({ outcome: "ok" });
  });

  it("is warned of a file of FLARE's that nothing here reads", async () => {
    await runServer();
    const kitDir = federation.kitDir("site-2");
    const file = join(kitDir, "local", "study_data.yaml");
    await writeFile(file, "{}");
    ends.push(() => rm(file));
    expect((await look({ kitDir })).of("settings")).toMatchObject({ outcome: "warning", facts: { files: [file] } });
    const warnings: string[] = [];
    const site = await startSite({ kitDir, onLog: ({ level, message }) => void (level === "warn" && warnings.push(message)) });
    await site.stop();
    expect(warnings).toContain("a file in local/ is FLARE's and has no effect here");
  });

  it("is warned of a policy that nothing reads because its name has a slip", async () => {
    await runServer();
    const kitDir = federation.kitDir("site-2");
    const file = join(kitDir, "local", "authorisation.json");
    await writeFile(file, "{}");
    ends.push(() => rm(file));
    expect((await look({ kitDir })).of("settings")).toMatchObject({
      outcome: "warning",
      found: `${file} is read by nobody; did you mean authorization.json?`,
    });
    const warnings: unknown[] = [];
    const site = await startSite({ kitDir, onLog: ({ level, fields }) => void (level === "warn" && warnings.push(fields)) });
    await site.stop();
    expect(warnings).toContainEqual({ file, meant: "authorization.json" });
  });

  it("does not disturb the site that runs from it", async () => {
    await runServer();
    const site = await startSite({ kitDir: federation.kitDir("site-2") });
    ends.push(() => site.stop());
    const { outcomes, of } = await look({ kitDir: federation.kitDir("site-2") });
    expect(outcomes).toMatchObject({ server: "ok", bandwidth: "skipped" });
    expect(of("server").found).toContain("site-2 is connected to it at this moment");
  });

  it("leads through the proxy of the environment, whose password is not shown", async () => {
    await runServer();
    const proxy = await startTestProxy();
    ends.push(() => proxy.stop());
    const environment = { HTTPS_PROXY: `http://ann:hush@127.0.0.1:${proxy.port}`, NO_PROXY: "<-loopback>" };
    const { checks, of } = await look({}, { environment });
    expect(checks.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(of("proxy").found).toContain(`127.0.0.1:${proxy.port} of HTTPS_PROXY, with user and password`);
    expect(JSON.stringify(checks)).not.toContain("hush");
    expect(new Set(proxy.heard)).toEqual(new Set([`localhost:${port} ann:hush`]));
  });

  it("says by how much the clock is wrong, in both directions", async () => {
    await runServer();
    const behind = await look({}, { now: () => Date.now() - 3_600_000 });
    expect(behind.of("certificate")).toMatchObject({
      outcome: "problem",
      code: "kit/not-yet-valid",
      todo: expect.stringContaining("clock"),
    });
    expect(behind.of("clock")).toMatchObject({
      outcome: "problem",
      found: expect.stringContaining("60 min behind"),
      facts: { skew_ms: expect.any(Number) },
    });
    const ahead = await look({}, { now: () => Date.now() + 90_000 });
    expect(ahead.of("clock")).toMatchObject({
      outcome: "warning",
      found: expect.stringMatching(/(89|90|91)\.\d s ahead of that of the server/),
    });
    expect(ahead.of("certificate").outcome).toBe("ok");
  });
});

describe("a way that does not lead to the server", () => {
  it("names a closed port, and tries no further", async () => {
    const { outcomes, of } = await look();
    expect(outcomes).toMatchObject({
      name: "ok",
      port: "problem",
      tls: "skipped",
      clock: "skipped",
      server: "skipped",
      bandwidth: "skipped",
    });
    expect(of("port")).toMatchObject({
      code: "transfer/unreachable",
      found: expect.stringContaining("ECONNREFUSED"),
      todo: expect.any(String),
    });
  });

  it("names a host that nobody knows", async () => {
    const elsewhere = await createSmallFederation({ serverName: "fl.nowhere.invalid" });
    ends.push(() => elsewhere.dispose());
    const { outcomes, of } = await look({ kitDir: elsewhere.kitDir("site-1") });
    expect(outcomes).toMatchObject({ name: "problem", port: "skipped" });
    expect(of("name")).toMatchObject({ found: expect.stringContaining("fl.nowhere.invalid"), todo: expect.stringContaining("DNS") });
    const own = await look({ kitDir: elsewhere.kitDir("fl.nowhere.invalid") });
    expect(own.of("reach")).toMatchObject({ outcome: "problem", found: expect.stringContaining("leads to no address") });
  });

  it("says who signs anew where something on the way ends TLS", async () => {
    const inspection = new TestProject("ACME Web Inspection");
    const { certificatePem: cert, privateKeyPem: key } = inspection.server("localhost");
    const server = await runServer(0);
    await listen(
      createTlsServer({ cert, key, ALPNProtocols: ["h2"] }, (socket) => {
        const onwards = connect(server.port, "127.0.0.1").on("error", () => socket.destroy());
        socket.on("error", () => onwards.destroy());
        socket.pipe(onwards).pipe(socket);
      }),
    );
    const { outcomes, of } = await look();
    expect(outcomes).toMatchObject({ port: "ok", tls: "problem", server: "skipped" });
    expect(of("tls")).toMatchObject({
      code: "auth/tls-refused",
      found: expect.stringMatching(
        /'CN=localhost.*' that 'CN=ACME Web Inspection.*' issued, and not .*small.* another project, or .* ends TLS and signs anew/,
      ),
      todo: expect.stringMatching(/'CN=ACME Web Inspection.*' to exempt localhost:\d+ from TLS inspection/),
    });
  });

  it("tells a server that is not ours, one without TLS, and one without HTTP/2", async () => {
    const { certificatePem: cert, privateKeyPem: key } = new TestProject("elsewhere").issue({ name: "other.example.org", role: "client" });
    await listen(createTlsServer({ cert, key, ALPNProtocols: ["h2"] }));
    expect((await look()).of("tls")).toMatchObject({
      outcome: "problem",
      found: expect.stringContaining("other.example.org"),
      todo: expect.stringContaining("Another service"),
    });
    await ends.pop()?.();
    const namesake = new TestProject("small").issue({ name: "localhost", role: "server" });
    await listen(createTlsServer({ cert: namesake.certificatePem, key: namesake.privateKeyPem, ALPNProtocols: ["h2"] }));
    expect((await look()).of("tls").found).toMatch(/'CN=small.*' issued, and not the CN=small of this kit/);
    await ends.pop()?.();
    await listen(createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")));
    expect((await look()).of("tls")).toMatchObject({ outcome: "problem", found: expect.stringContaining("speaks no TLS") });
    await ends.pop()?.();
    const kit = await federation.kit("localhost");
    await listen(createTlsServer({ cert: kit.certificatePem, key: kit.privateKeyPem }));
    expect((await look()).of("http2")).toMatchObject({ outcome: "problem", todo: expect.stringContaining("http2") });
  });

  it.each([
    [{ answer: 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"' }, "port", "transfer/proxy-authentication"],
    [{ answer: "HTTP/1.1 403 No" }, "port", "transfer/proxy-forbidden"],
    [{}, "port", "transfer/proxy-failed"],
    ["http://127.0.0.1:1", "port", "transfer/proxy-unreachable"],
    ["http://nowhere.invalid:1", "name", "transfer/proxy-unreachable"],
    ["https://proxy.test", "proxy", "transfer/proxy-not-supported"],
    ["http://:hush", "proxy", "transfer/proxy-invalid"],
  ] as const)("names what is wrong with the proxy: %j", async (what, name, code) => {
    const proxy = typeof what === "string" ? undefined : await startTestProxy(what);
    if (proxy !== undefined) ends.push(() => proxy.stop());
    const url = typeof what === "string" ? what : `http://127.0.0.1:${proxy?.port}`;
    const { checks, of } = await look({}, { environment: { https_proxy: url, no_proxy: "<-loopback>" } });
    expect(of(name)).toMatchObject({ outcome: "problem", code, todo: expect.any(String) });
    expect(JSON.stringify(checks)).not.toContain("hush");
  });

  it("ends within a moment when it is aborted while nobody answers", async () => {
    await listen(createServer(() => undefined));
    const abort = new AbortController();
    const onCheck = ({ name }: PreflightCheck): void => void (name === "port" && setImmediate(() => abort.abort()));
    await expect(look({ signal: abort.signal, onCheck })).rejects.toMatchObject({ code: "internal/aborted" });
  });
});

describe("a kit and its machine", () => {
  it("are told apart by what is wrong with the kit", async () => {
    const copy = join(federation.folder, "edited");
    await cp(federation.kitDir("site-1"), copy, { recursive: true });
    await appendFile(join(copy, "startup", "rootCA.pem"), "\n");
    expect((await look({ kitDir: copy })).of("kit")).toMatchObject({
      outcome: "problem",
      code: "kit/signature-mismatch",
      todo: expect.any(String),
    });
    await chmod(join(copy, "startup", "client.key"), 0o644);
    const { checks } = await look({ kitDir: copy });
    expect(checks).toMatchObject([{ name: "kit", outcome: "problem", code: "kit/key-exposed" }]);
    expect(await look({ kitDir: join(federation.folder, "nowhere") })).toMatchObject({ checks: [{ code: "kit/not-a-folder" }] });
  });

  it("says when the certificate has ended", async () => {
    const { of } = await look({}, { now: () => Date.now() + 20 * 365 * 24 * 3_600_000 });
    expect(of("kit").outcome).toBe("ok");
    expect(of("certificate")).toMatchObject({ outcome: "problem", code: "kit/expired", todo: expect.stringContaining("new kit") });
  });

  it("names settings that cannot be read", async () => {
    const copy = join(federation.folder, "settings");
    await cp(federation.kitDir("site-1"), copy, { recursive: true });
    await writeFile(join(copy, "local", "resources.json"), "{ not JSON");
    expect((await look({ kitDir: copy })).of("settings")).toMatchObject({
      outcome: "problem",
      found: expect.stringContaining("resources.json"),
    });
    await writeFile(join(copy, "local", "resources.json"), '{\n  "format_version": 2,\n  "update_from": "blockwise8"\n}');
    const { found } = (await look({ kitDir: copy })).of("settings");
    expect(found).toContain("Line 1: is missing (at components).");
    expect(found).toMatch(/Line 3: unknown key 'update_from'.*update_form.*\?/);
  });

  it("need room for models, and a folder that can be written", async () => {
    const full = await look({ modelBytes: 1e9 }, { readFreeSpace: async () => 3e9 });
    expect(full.of("disk")).toMatchObject({
      outcome: "problem",
      found: expect.stringContaining("3.0 GB free"),
      facts: { free_bytes: 3e9 },
    });
    const enough = await look({ workspace: join(federation.folder, "room", "below") });
    expect(enough.of("disk").found).toMatch(/MB\/s\.$/);
    const file = join(federation.folder, "file");
    await writeFile(file, "");
    expect((await look({ workspace: join(file, "below") })).of("disk")).toMatchObject({
      outcome: "problem",
      found: expect.stringContaining("Nothing can be written"),
    });
  });

  it("of a server need its port, unless it is this server that has it", async () => {
    const kitDir = federation.kitDir("localhost");
    const free = await look({ kitDir });
    expect(free.outcomes).toEqual({ kit: "ok", certificate: "ok", settings: "ok", disk: "ok", listen: "ok", reach: "warning" });
    await listen(createServer());
    expect((await look({ kitDir })).of("listen")).toMatchObject({ outcome: "problem", code: "transfer/cannot-listen" });
    await ends.pop()?.();
    await runServer();
    expect((await look({ kitDir })).of("listen")).toMatchObject({ outcome: "ok", found: expect.stringContaining("runs already") });
  });
});

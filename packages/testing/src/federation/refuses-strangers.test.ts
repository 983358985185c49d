import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { startSite } from "@flare-ts/runtime";
import { connectAdmin } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { adminName, createFederation, type Federation } from "./federation.js";

let federation: Federation;
let stranger: Federation;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-strangers-"));
  federation = await createFederation({ sites: ["site-1", "site-2"] });
  // Another project whose kits lead to the same server.
  stranger = await createFederation({ sites: ["site-1"], project: "elsewhere", port: federation.port });
  await federation.start("server");
});

afterAll(async () => {
  await federation.dispose();
  await stranger.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function auditOf(): Promise<{ action: string; outcome: string; code?: string; reason?: string }[]> {
  const text = await readFile(join(federation.kitOf("server"), "audit.log"), "utf8").catch(() => "");
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { action: string; outcome: string });
}

describe("a running server", () => {
  it("refuses a site and an admin of another project, logs why, and serves its own afterwards", async () => {
    await expect(startSite({ kitDir: stranger.kitOf("site-1") })).rejects.toMatchObject({ code: "auth/tls-refused" });
    await expect(connectAdmin({ kitDir: join(stranger.adminKit) })).rejects.toMatchObject({ code: "auth/tls-refused" });
    await federation.start("site-1");
    const admin = await federation.admin();
    expect((await admin.status()).sites).toMatchObject([{ name: "site-1", state: "connected" }]);
    admin.close();
  });

  it("refuses a connection without a certificate, and one by another root, and names the reason in its audit log", async () => {
    const kit = stranger.kitOf("site-1");
    const [ca, cert, key] = await Promise.all(
      ["rootCA.pem", "client.crt", "client.key"].map((name) => readFile(join(kit, "startup", name))),
    );
    await Promise.all([shakeHands({}), shakeHands({ ca, cert, key })]);
    const refused = await eventually("two refused handshakes are in the audit log", async () => {
      const lines = (await auditOf()).filter((line) => line.action === "tls");
      return lines.length >= 2 ? lines : undefined;
    });
    for (const line of refused) expect(line).toMatchObject({ outcome: "refused", code: "auth/tls-refused" });
    expect(refused.map((line) => line.reason).join("\n")).toMatch(/certificate/i);
  });

  it("shows openssl s_client its chain and name, with the certificate of a site and of nobody else", () => {
    const startup = join(federation.kitOf("site-2"), "startup");
    const good = speakTls(join(startup, "rootCA.pem"), startup);
    expect(good).toContain("Verify return code: 0 (ok)");
    expect(good).toMatch(/subject=.*CN ?= ?localhost/);
    expect(good).toContain("ALPN protocol: h2");
    expect(speakTls(join(startup, "rootCA.pem"), startup, "elsewhere.example.org")).toMatch(/hostname mismatch/i);
    expect(speakTls(join(stranger.kitOf("site-1"), "startup", "rootCA.pem"), startup)).not.toContain("Verify return code: 0 (ok)");
  });

  it("does not start a site whose kit was changed, nor one that is already running", async () => {
    const copy = join(folder, "edited");
    await cp(federation.kitOf("site-2"), copy, { recursive: true });
    const config = join(copy, "startup", "fed_client.json");
    await writeFile(config, (await readFile(config, "utf8")).replace('"grpc"', '"grpc" '));
    await expect(startSite({ kitDir: copy })).rejects.toMatchObject({
      code: "kit/signature-mismatch",
      message: expect.stringContaining("fed_client.json") as string,
    });
    await expect(startSite({ kitDir: federation.kitOf("site-1") })).rejects.toMatchObject({ code: "runtime/already-running" });
  });

  it("lets only an admin's kit open an admin's session", async () => {
    await expect(connectAdmin({ kitDir: federation.kitOf("site-2") })).rejects.toMatchObject({ code: "kit/wrong-type" });
    expect(federation.adminKit).toContain(adminName);
  });
});

/** What `openssl s_client` says of the server, for a site's certificate and a root. */
function speakTls(rootCa: string, startup: string, host = "localhost"): string {
  const identity = ["-cert", join(startup, "client.crt"), "-key", join(startup, "client.key"), "-CAfile", rootCa];
  const checks = ["-verify_hostname", host, "-servername", "localhost", "-alpn", "h2"];
  const { stdout, stderr } = spawnSync("openssl", ["s_client", "-connect", `localhost:${federation.port}`, ...identity, ...checks], {
    input: "",
    encoding: "utf8",
    timeout: 20_000,
  });
  return `${stdout}${stderr}`;
}

/** Tries a TLS handshake and resolves when it is over, however it ended. */
function shakeHands(identity: {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: federation.port, rejectUnauthorized: false, ALPNProtocols: ["h2"], ...identity });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
  });
}

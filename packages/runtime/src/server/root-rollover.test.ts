import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { finishRollover, signRenewal, startRollover } from "@flare-ts/provision";
import { readCertificates } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { connectAdmin } from "../admin/connect-admin.js";
import { adminName, createSmallFederation, otherAdminName, type SmallFederation } from "../process/small-federation.test-support.js";
import { fingerprintOf } from "../session/project-keys.js";
import { type RunningSite, startSite } from "../site/start-site.js";
import { type RunningServer, startServer } from "./start-server.js";

const caKey = "clear";
let federation: SmallFederation;
let server: RunningServer;
let sites: RunningSite[] = [];
let workspace: string;

beforeEach(async () => {
  federation = await createSmallFederation({ keyType: "rsa-2048" });
  workspace = join(federation.folder, "workspace");
  server = await startServer({ kitDir: federation.kitDir("localhost") });
  sites = await Promise.all(["site-1", "site-2"].map((name) => startSite({ kitDir: federation.kitDir(name) })));
});

afterEach(async () => {
  for (const site of sites) await site.stop();
  await server.stop();
  await federation.dispose();
});

async function withAdmin<Result>(use: (admin: AdminSession) => Promise<Result>): Promise<Result> {
  const admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  try {
    return await use(admin);
  } finally {
    admin.close();
  }
}

/** Signs what waits at the server, as `flare cert renewals` does; gives the kinds and names. */
async function signWaiting(admin: AdminSession): Promise<string[]> {
  const waiting = await admin.listRenewals();
  for (const renewal of waiting) await admin.completeRenewal(renewal.id, await signRenewal({ workspace, caKey, renewal }));
  return waiting.map(({ kind, name }) => `${kind} ${name}`);
}

/** SHA-256 of the certificate that a participant got by renewal, with those of its issuers. */
async function renewedChain(name: string, file = "client"): Promise<X509Certificate[]> {
  const folder = join(federation.kitDir(name), "identity");
  const serial = await readFile(join(folder, "current"), "utf8").catch(() => "");
  if (serial === "") return [];
  const pem = await readFile(join(folder, serial.trim(), `${file}.crt`), "utf8");
  return (pem.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/g) ?? []).map((block) => new X509Certificate(block));
}

describe("the change of roots over the wire", () => {
  it("gives everybody a certificate below the new root without a reconnect, and then refuses the old root", async () => {
    const before = await withAdmin((admin) => admin.status());
    const started = await startRollover({ workspace, caKey });
    await withAdmin(async (admin) => {
      expect(await admin.updateTrust(started.trustListText)).toMatchObject({ acknowledged: ["site-1", "site-2"] });
      // The server has asked for an issuing certificate of the new root; its key stays with it.
      await expect.poll(() => admin.listRenewals().then((waiting) => waiting.map(({ kind }) => kind))).toEqual(["issuer"]);
      expect(await signWaiting(admin)).toEqual(["issuer localhost"]);
    });
    const state = JSON.parse(await readFile(join(workspace, "small/state/cert.json"), "utf8")) as { root_cert: string };
    const newRoot = new X509Certificate(state.root_cert);
    for (const [name, file] of [
      ["localhost", "server"],
      ["site-1", "client"],
      ["site-2", "client"],
    ] as const) {
      await expect.poll(() => renewedChain(name, file).then((chain) => chain[1]?.checkIssued(newRoot)), { timeout: 20_000 }).toBe(true);
    }
    // Certificates of both roots side by side: this kit has not changed.
    (await federation.dial(otherAdminName)).close();
    // An admin's certificate is signed by hand: the first session asks, the second one gets it.
    await withAdmin(async (admin) => expect(await signWaiting(admin)).toEqual([`participant ${adminName}`]));
    await withAdmin(async (admin) => await admin.listRenewals());
    // The server still shows the old certificate to who connects anew, and has the new one.
    await withAdmin(async (admin) => {
      const inUse = (await admin.certificatesInUse()).map(({ name, chainPem }) => [
        name,
        readCertificates(chainPem).some((certificate) => certificate.verify(newRoot.publicKey)),
      ]);
      expect(inUse).toEqual([
        [adminName, true],
        ["localhost", true],
      ]);
    });
    const finished = await finishRollover({ workspace, caKey, isForced: true });
    await withAdmin(async (admin) => {
      const [own] = await renewedChain(adminName);
      expect(own?.checkIssued(newRoot)).toBe(true);
      expect(await admin.updateTrust(finished.trustListText)).toMatchObject({ acknowledged: ["site-1", "site-2"], sessions: [] });
      const sinceOf = ({ sites: known }: typeof before) => known.map(({ name, state: is, sinceMs }) => [name, is, sinceMs]);
      expect(sinceOf(await admin.status())).toEqual(sinceOf(before));
    });
    await expect(federation.dial(otherAdminName)).rejects.toMatchObject({ code: "auth/tls-refused" });
    // From what each of them has kept, after a restart.
    await sites[0]?.stop();
    await server.stop();
    server = await startServer({ kitDir: federation.kitDir("localhost") });
    sites[0] = await startSite({ kitDir: federation.kitDir("site-1") });
    await expect
      .poll(() => withAdmin((admin) => admin.status()).then((status) => status.sites.map(({ state: is }) => is)))
      .toEqual(["connected", "connected"]);
    expect(fingerprintOf(newRoot)).not.toBe(fingerprintOf(new X509Certificate((await federation.kit("site-1")).rootCaPem)));
  });
});

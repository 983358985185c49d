import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import type { ContentHash, Revocation } from "@flare-ts/contracts";
import { type ServerMessage, SiteHelloSchema, SiteMessageSchema } from "@flare-ts/contracts/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { connectAdmin } from "../admin/connect-admin.js";
import type { LogLine } from "../logging/logger.js";
import { adminName, createSmallFederation, otherAdminName, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningSite, startSite } from "../site/start-site.js";
import type { Connection } from "../transport/connection.js";
import { type RunningServer, startServer } from "./start-server.js";

const object = { hash: "ab".repeat(32) as ContentHash, size: 1 };

let federation: SmallFederation;
let server: RunningServer;
let admin: AdminSession;
const running: { readonly site: RunningSite | AdminSession }[] = [];

async function begin(connectionSecurity: "mtls" | "tls"): Promise<void> {
  federation = await createSmallFederation({ connectionSecurity });
  server = await startServer({ kitDir: federation.kitDir("localhost") });
  admin = await openAdmin(adminName);
}

afterEach(async () => {
  for (const { site } of running.splice(0).toReversed()) await ("stop" in site ? site.stop() : site.close());
  await server.stop();
  await federation.dispose();
});

describe.each(["mtls", "tls"] as const)("revoking a site, over %s,", (security) => {
  beforeEach(async () => await begin(security));

  it("ends its connection and its session, and leaves the others alone", async ({ annotate }) => {
    const other = await openSite("site-2");
    const site = await federation.dial("site-1");
    const closed = attach(site);
    await expect.poll(sitesConnected).toEqual(["site-1", "site-2"]);
    const cut = closed.then((reason) => ({ reason, atMs: performance.now() }));
    const fromMs = performance.now();
    const update = await admin.updateTrust(await federation.trustList({ number: 1, revoked: [revocation("site-1")] }));
    const repliedAtMs = performance.now();
    const { reason, atMs } = await cut;
    await annotate(`revoke to cut: ${Math.round(atMs - fromMs)} ms; to the answer: ${Math.round(repliedAtMs - fromMs)} ms`);
    expect(reason).toContain('The certificate of "site-1" was revoked');
    expect(update).toMatchObject({
      number: 1,
      outcome: "accepted",
      revoked: ["site-1"],
      sessions: [{ name: "site-1", sessionId: site.sessionId }],
      acknowledged: ["site-2"],
      waiting: [],
    });
    await expect(site.stat(object)).rejects.toMatchObject({ code: "transfer/disconnected" });
    await expect(federation.dial("site-1")).rejects.toMatchObject({ code: "auth/certificate-revoked" });
    await expect(startSite({ kitDir: federation.kitDir("site-1") })).rejects.toMatchObject({ code: "auth/certificate-revoked" });
    expect(await sitesConnected()).toEqual(["site-2"]);
    expect(other.name).toBe("site-2");
    expect(await trustNumberOf("site-2")).toBe(1);
    await expect
      .poll(audited)
      .toContainEqual(expect.objectContaining({ action: "register", outcome: "refused", code: "auth/certificate-revoked" }));
  });

  it("is said once in the site's log, with what to do", async () => {
    const lines: LogLine[] = [];
    await openSite("site-1", (line) => lines.push(line));
    await admin.updateTrust(await federation.trustList({ number: 1, revoked: [revocation("site-1")] }));
    const refusals = (): LogLine[] => lines.filter(({ message }) => message === "the server does not let this site in");
    await expect.poll(() => refusals().length).toBe(1);
    expect(refusals()[0]).toMatchObject({
      level: "error",
      fields: {
        code: "auth/certificate-revoked",
        reason: expect.stringContaining('The certificate of "site-1" was revoked'),
        todo: expect.stringContaining("Ask the project's administrator"),
      },
    });
    const attempts = async (): Promise<number> =>
      (await audited()).filter((line) => JSON.stringify(line).includes('"auth/certificate-revoked"')).length;
    await expect.poll(attempts).toBeGreaterThan(2);
    expect(refusals()).toHaveLength(1);
  });

  it("counts after a restart of the server, also for sites that were away", async () => {
    await admin.updateTrust(await federation.trustList({ number: 3, revoked: [revocation("site-1")] }));
    await server.stop();
    server = await startServer({ kitDir: federation.kitDir("localhost") });
    await expect(federation.dial("site-1")).rejects.toMatchObject({ code: "auth/certificate-revoked" });
    await openSite("site-2");
    await expect.poll(() => trustNumberOf("site-2")).toBe(3);
    const again = await admin.updateTrust(await federation.trustList({ number: 4, revoked: [revocation("site-1")] }));
    expect(again).toMatchObject({ number: 4, acknowledged: ["site-2"], waiting: [], sessions: [] });
  });

  it("lets a running job go on without it", async () => {
    await openSite("site-2");
    const closed = attach(await federation.dial("site-1"));
    await expect.poll(sitesConnected).toEqual(["site-1", "site-2"]);
    const { jobId } = await admin.submitJob(await federation.writeJob(["site-1", "site-2"]));
    await expect.poll(async () => (await admin.jobMeta(jobId)).status).toBe("RUNNING");
    await admin.updateTrust(await federation.trustList({ number: 1, revoked: [revocation("site-1")] }));
    await closed;
    expect((await admin.jobMeta(jobId)).status).toBe("RUNNING");
    expect(await sitesConnected()).toEqual(["site-2"]);
    for await (const { event } of admin.watchJob(jobId)) {
      if (event.type !== "site-left") continue;
      expect(event).toMatchObject({ site: "site-1", error: { code: "auth/certificate-revoked" } });
      break;
    }
    await admin.abortJob(jobId);
  });

  it("does not take somebody who came back after two revocations out of a running job with a later list", async () => {
    const former = [1_000, 2_000].map((revoked_at_ms) => ({ ...revocation("site-1"), revoked_at_ms }));
    await admin.updateTrust(await federation.trustList({ number: 1, revoked: former }));
    const site = await openSite("site-1");
    const { jobId } = await admin.submitJob(await federation.writeJob(["site-1"]));
    await expect.poll(async () => (await admin.jobMeta(jobId)).status).toBe("RUNNING");
    await site.stop();
    await expect.poll(sitesConnected).toEqual([]);
    const update = await admin.updateTrust(await federation.trustList({ number: 2, revoked: [...former, revocation("site-2")] }));
    expect(update.revoked).toEqual(["site-2"]);
    expect((await admin.jobMeta(jobId)).status).toBe("RUNNING");
    await admin.abortJob(jobId);
  });
});

describe("revoking an admin", () => {
  beforeEach(async () => await begin("mtls"));

  it("refuses its jobs that wait, aborts those that run, and ends its session", async () => {
    await openSite("site-1");
    const submitter = await openAdmin(otherAdminName);
    const started = await submitter.submitJob(await federation.writeJob(["site-1"]));
    const waiting = await submitter.submitJob(await federation.writeJob(["site-1", "site-2"], { minClients: 2 }));
    const mine = await admin.submitJob(await federation.writeJob(["site-1"]));
    for (const { jobId } of [started, mine]) await expect.poll(async () => (await admin.jobMeta(jobId)).status).toBe("RUNNING");
    const update = await admin.updateTrust(await federation.trustList({ number: 1, revoked: [revocation(otherAdminName)] }));
    expect(update).toMatchObject({ sessions: [{ name: otherAdminName }], acknowledged: ["site-1"] });
    for (const { jobId } of [started, waiting]) {
      expect(await admin.jobMeta(jobId)).toMatchObject({
        status: "FINISHED:ABORTED",
        reason: expect.stringContaining("job/signer-revoked"),
      });
    }
    expect((await admin.jobMeta(mine.jobId)).status).toBe("RUNNING");
    await expect(submitter.listJobs()).rejects.toMatchObject({ code: "auth/certificate-revoked" });
    await admin.abortJob(mine.jobId);
  });
});

describe("a trust list that is not good", () => {
  beforeEach(async () => await begin("mtls"));

  it("is refused with its code, and changes nothing", async () => {
    const site = await federation.dial("site-1");
    void attach(site);
    await expect.poll(sitesConnected).toEqual(["site-1"]);
    const good = await federation.trustList({ number: 5 });
    await admin.updateTrust(good);
    const forged = JSON.parse(await federation.trustList({ number: 6, revoked: [revocation("site-1")] })) as { signatures: object[] };
    const attempts: readonly [string, string][] = [
      [JSON.stringify({ ...forged, signatures: [] }), "trust/signature-invalid"],
      [await federation.trustList({ number: 4, revoked: [revocation("site-1")] }), "trust/outdated"],
      [await federation.trustList({ number: 5, revoked: [revocation("site-1")] }), "trust/outdated"],
      [await federation.trustList({ number: 6, project: "other", revoked: [revocation("site-1")] }), "trust/wrong-project"],
      ["hello", "trust/list-invalid"],
    ];
    for (const [text, code] of attempts) await expect(admin.updateTrust(text)).rejects.toMatchObject({ code });
    expect(await admin.updateTrust(good)).toMatchObject({ number: 5, outcome: "known", sessions: [], revoked: [] });
    expect(await sitesConnected()).toEqual(["site-1"]);
    expect(await trustNumberOf("localhost")).toBe(5);
  });
});

async function openAdmin(name: string): Promise<AdminSession> {
  const session = await connectAdmin({ kitDir: federation.kitDir(name) });
  running.push({ site: session });
  return session;
}

async function openSite(name: string, onLog?: (line: LogLine) => void): Promise<RunningSite> {
  const site = await startSite({ kitDir: federation.kitDir(name), onLog });
  running.push({ site });
  return site;
}

/** Attaches as a site does; resolves when the connection is over. */
async function attach(connection: Connection): Promise<string> {
  const stream = connection.attach((_message: ServerMessage) => undefined);
  const hello = create(SiteHelloSchema, { softwareVersion: "test" });
  await stream.write(create(SiteMessageSchema, { message: { case: "hello", value: hello } }));
  return await connection.closed;
}

function revocation(name: string): Revocation {
  return { name, serials: [], revoked_at_ms: Date.now(), reason: "keyCompromise" };
}

async function sitesConnected(): Promise<string[]> {
  return (await admin.status()).sites.filter(({ state }) => state === "connected").map(({ name }) => name);
}

/** Number of the list that a participant has kept. */
async function trustNumberOf(name: string): Promise<number> {
  const text = await readFile(join(federation.kitDir(name), "identity/trust.json"), "utf8").catch(() => undefined);
  if (text === undefined) return 0;
  const { document } = JSON.parse(text) as { document: string };
  return (JSON.parse(Buffer.from(document, "base64").toString()) as { number: number }).number;
}

async function audited(): Promise<unknown[]> {
  const text = await readFile(join(federation.kitDir("localhost"), "audit.log"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

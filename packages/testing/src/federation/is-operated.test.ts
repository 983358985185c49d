import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { daemonStatus } from "@flare-ts/runtime";
import type { AdminSession, OperationOutcome } from "@flare-ts/runtime/admin";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { processesWith } from "./process-tree.js";

const sites = ["site-1", "site-2", "site-3"];
const ownAdmin = "boss@hospital.org";
const member = "member@hospital.org";
let folder: string;
let federation: Federation;
let admin: AdminSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-operated-"));
  const args = { min_clients: sites.length };
  await writeAddOneJob({ folder, rounds: 4, trainMs: 200, minClients: sites.length, args });
  await writeAddOneJob({ folder: join(folder, "quorum"), rounds: 4, trainMs: 200, minClients: 2, args: { min_clients: 2 } });
  federation = await createFederation({
    sites,
    relays: { "relay-1": "server" },
    admins: { [ownAdmin]: { org: "hospital", role: "org_admin" }, [member]: { org: "hospital", role: "member" } },
    settings: { perSite: { "site-2": { org: "elsewhere" }, "site-3": { connect_to: { name: "relay-1" } } } },
  });
  // A site that lets nobody end it.
  const policy = join(federation.kitOf("site-2"), "local", "authorization.json");
  const text = JSON.parse(await readFile(`${policy}.default`, "utf8")) as { permissions: Record<string, unknown> };
  text.permissions["project_admin"] = { "*": "any", shutdown: "none", restart: "none", report_resources: "none" };
  await writeFile(policy, JSON.stringify(text));
  await federation.startAll();
});
beforeEach(async () => {
  admin = await federation.admin();
  await eventually("all are there", async () => (await stateOf()).every((state) => state === "connected"));
});
afterEach(() => admin.close());
afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

const stateOf = async (): Promise<readonly string[]> => {
  const status = await admin.status().catch(() => undefined);
  return status?.sites.length === sites.length ? status.sites.map(({ state }) => state) : ["unknown"];
};
const brief = (outcomes: readonly OperationOutcome<unknown>[]): Readonly<Record<string, string>> =>
  Object.fromEntries(outcomes.map(({ name, state, error }) => [name, error?.code ?? state]));
const auditOf = async (name: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await readFile(join(federation.kitOf(name), "audit.log"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

describe("sites, told by an admin", () => {
  it("end in good order and for good where their own policy lets them be ended, behind a relay too", async () => {
    const pids = ["site-1", "site-3"].map((name) => federation.pidOf(name));
    expect(brief(await admin.shutdown("client"))).toEqual({ "site-1": "done", "site-2": "auth/not-authorized", "site-3": "done" });
    await eventually("their processes are gone", () => pids.every((pid) => pid !== undefined && !isRunning(pid)));
    for (const name of ["site-1", "site-3"]) {
      await eventually("the watch script has gone too", () => processesWith(federation.kitOf(name)).length === 0);
      expect(daemonStatus(federation.kitOf(name))).toMatchObject({ state: "stopped", shutDown: { by: "admin@example.org" } });
    }
    const refused = (await auditOf("site-2")).filter(({ action }) => action === "shutdown");
    expect(refused).toMatchObject([{ who: "admin@example.org", outcome: "refused", code: "auth/not-authorized" }]);
    expect((await auditOf("server")).filter(({ action }) => action === "shutdown").map(({ outcome }) => outcome)).toEqual(
      sites.map(() => "allowed"),
    );
    expect(brief(await admin.shutdown("client", { sites: ["site-1", "nobody"] }))).toEqual({
      "site-1": "runtime/site-away",
      nobody: "runtime/site-unknown",
    });
    await Promise.all(["site-1", "site-3"].map((name) => federation.start(name)));
    await federation.stop("site-1");
    expect(daemonStatus(federation.kitOf("site-1"))).toEqual({ state: "stopped" });
    await federation.start("site-1");
  });

  it("restart, are back when the command says so, and go on with a running job", async () => {
    const { jobId } = await admin.submitJob(folder);
    const before = new Map(["site-1", "site-3"].map((name) => [name, federation.pidOf(name)]));
    let outcomes: readonly OperationOutcome[] = [];
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (event.type === "round-opened" && event.round === 1) outcomes = await admin.restart("client", { sites: ["site-1", "site-3"] });
    });
    expect(brief(outcomes)).toEqual({ "site-1": "done", "site-3": "done" });
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    expect(entries.filter(({ event }) => event.type === "site-left")).toEqual([]);
    for (const [name, pid] of before) expect(federation.pidOf(name)).not.toBe(pid);
  });

  it("say what they run on, and change what they log, until they restart", async () => {
    const resources = await admin.reportResources("all");
    expect(brief(resources)).toEqual({ localhost: "done", "site-1": "done", "site-2": "auth/not-authorized", "site-3": "done" });
    for (const { result } of resources.filter(({ state }) => state === "done")) {
      expect(result?.cpus).toBeGreaterThan(0);
      expect(result?.freeMemoryBytes).toBeGreaterThan(0);
      expect(result?.freeDiskBytes).toBeGreaterThan(0);
    }
    expect(resources.find(({ name }) => name === "site-1")?.result?.gpus).toEqual({ offered: 0, free: 0, memPerGpuGiB: 0 });
    const level = await admin.configureSiteLog("error", "client", { sites: ["site-1"] });
    expect(level.map(({ result }) => result)).toEqual(["error"]);
    const log = join(federation.kitOf("site-1"), "log.json");
    const written = (await readFile(log, "utf8")).length;
    expect((await admin.configureSiteLog("error", "all")).map(({ result }) => result)).toEqual(["error", "error", "error", "error"]);
    expect((await readFile(log, "utf8")).length).toBe(written);
    expect((await admin.configureSiteLog("reload", "all")).map(({ result }) => result)).toEqual(["info", "info", "info", "info"]);
  });

  it("obey nobody whom a policy does not let, whichever it is: the server's or their own", async () => {
    const boss = await federation.admin(ownAdmin);
    const plain = await federation.admin(member);
    try {
      expect(brief(await boss.restart("client", { sites: ["site-1", "site-2"] }))).toEqual({
        "site-1": "done",
        "site-2": "auth/not-authorized",
      });
      // It never heard of that: the server's policy was enough.
      expect((await auditOf("site-2")).filter(({ who }) => who === ownAdmin)).toEqual([]);
      await expect(boss.shutdown("all")).rejects.toMatchObject({ code: "auth/not-authorized" });
      expect(brief(await plain.shutdown("client", { sites: ["site-1"] }))).toEqual({ "site-1": "auth/not-authorized" });
      await expect(plain.disableClient("site-1")).rejects.toMatchObject({ code: "auth/not-authorized" });
      await expect(boss.disableClient("site-2")).rejects.toMatchObject({ code: "auth/not-authorized" });
      await expect(boss.disableClient("nobody")).rejects.toMatchObject({ code: "auth/not-authorized" });
      expect(brief(await plain.reportResources("server"))).toEqual({ localhost: "auth/not-authorized" });
    } finally {
      boss.close();
      plain.close();
    }
  });
});

describe("a site that is disabled", () => {
  it("leaves its jobs, is kept out through a restart of the server, and comes back by itself when it is enabled", async () => {
    const { jobId } = await admin.submitJob(join(folder, "quorum"));
    let isDisabled = false;
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (isDisabled || event.type !== "update-accepted") return;
      isDisabled = true;
      expect(await admin.disableClient("site-1", { reason: "audit of its data" })).toMatchObject({
        wasDisabled: false,
        isKnown: true,
        leftJobs: [jobId],
      });
    });
    expect(entries.find(({ event }) => event.type === "site-left")?.event).toMatchObject({
      site: "site-1",
      error: { code: "auth/site-disabled" },
    });
    // Two were wanted.
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    expect(entries.flatMap(({ event }) => (event.type === "round-opened" ? [event.sites.length] : []))).toEqual([3, 2, 2, 2]);
    await federation.stop("server");
    await federation.start("server");
    await toldWhy();
    expect((await admin.status()).sites.find(({ name }) => name === "site-1")).toMatchObject({
      state: "disabled",
      org: "hospital",
      reason: "disabled by admin@example.org: audit of its data",
    });
    expect(await admin.disableClient("site-1")).toMatchObject({ wasDisabled: true });
    expect(await admin.enableClient("site-1")).toMatchObject({ wasDisabled: true });
    await eventually("it is back", async () => (await stateOf()).join() === "connected,connected,connected");
    expect(await admin.enableClient("site-1")).toMatchObject({ wasDisabled: false });
    await rerun();
  });

  it("stays disabled, and out of its jobs, when the server is killed at whatever moment of the command", async () => {
    for (const afterMs of [0, 5, 30]) {
      const { jobId } = await admin.submitJob(folder);
      await eventually("the job runs", async () => (await admin.jobMeta(jobId)).status === "RUNNING");
      const answered = admin.disableClient("site-1").then(
        () => true,
        () => false,
      );
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      process.kill(await eventually("the server runs", () => federation.pidOf("server")), "SIGKILL");
      const wasAnswered = await answered;
      await federation.stop("server");
      await federation.start("server");
      const state = await eventually("it is known how it stands", async () => {
        const site = (await admin.status().catch(() => undefined))?.sites.find(({ name }) => name === "site-1");
        return site?.state === "disabled" || site?.state === "connected" ? site.state : undefined;
      });
      expect(wasAnswered && state !== "disabled").toBe(false);
      const entries = await followJob(federation, jobId);
      const left = entries.some(({ event }) => event.type === "site-left" && event.site === "site-1");
      expect(left).toBe(state === "disabled");
      await admin.enableClient("site-1");
      await eventually("all are back", async () => (await stateOf()).join() === "connected,connected,connected");
    }
  });

  it("has left its jobs also where the server died when that was written down, and nothing else was done", async () => {
    const { jobId } = await admin.submitJob(join(folder, "quorum"));
    await eventually("the job runs", async () => (await admin.jobMeta(jobId)).status === "RUNNING");
    process.kill(await eventually("the server runs", () => federation.pidOf("server")), "SIGKILL");
    await federation.stop("server");
    const entry = { org: "hospital", by: "somebody@example.org", at_ms: 1, reason: "" };
    const file = join(federation.kitOf("server"), "disabled_clients.json");
    await writeFile(file, JSON.stringify({ format_version: "1.0", sites: { "site-1": entry } }));
    await federation.start("server");
    await eventually("the site has left", async () => {
      const { entries } = await admin.jobEvents(jobId).catch(() => ({ entries: [] }));
      return entries.some(({ event }) => event.type === "site-left" && event.site === "site-1");
    });
    // Once it is back it has no part in that job any more, whatever the server remembers.
    await eventually("it is enabled", () => admin.enableClient("site-1").catch(() => undefined));
    await federation.stop("server");
    await federation.start("server");
    const entries = await followJob(federation, jobId);
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    expect(entries.filter(({ event }) => event.type === "site-left")).toHaveLength(1);
    const late = entries.flatMap(({ event }) => (event.type === "update-accepted" && event.site === "site-1" ? [event.round] : []));
    expect(late.filter((round) => round > 1)).toEqual([]);
  });

  const toldWhy = (): Promise<unknown> =>
    eventually("the site is told why", () => {
      const status = daemonStatus(federation.kitOf("site-1"));
      return status.state !== "stopped" && status.server?.state === "refused" && status.server.reason?.includes("audit of its data");
    });
  const rerun = async (): Promise<void> => {
    const { jobId } = await admin.submitJob(folder);
    const again = await followJob(federation, jobId);
    expect(again.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  };
});

describe("the whole federation", () => {
  it("restarts in the middle of a job, which goes on", async () => {
    const { jobId } = await admin.submitJob(folder);
    const pid = federation.pidOf("server");
    let outcomes: Promise<readonly OperationOutcome[]> | undefined;
    const entries = await followJob(federation, jobId, ({ event }) => {
      if (event.type === "round-opened" && event.round === 1) outcomes ??= admin.restart("all");
    });
    expect(brief((await outcomes) ?? [])).toEqual({
      "site-1": "done",
      "site-2": "auth/not-authorized",
      "site-3": "done",
      localhost: "done",
    });
    expect(federation.pidOf("server")).not.toBe(pid);
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  });

  it("is shut down, sites first, and no watch script starts any of it again", async () => {
    const order: string[] = [];
    const outcomes = await admin.shutdown("all", { onOutcome: ({ name }) => order.push(name) });
    expect(brief(outcomes)).toEqual({ "site-1": "done", "site-2": "auth/not-authorized", "site-3": "done", localhost: "done" });
    expect(order.at(-1)).toBe("localhost");
    for (const name of ["site-1", "site-3", "server"])
      await eventually(`${name} is gone`, () => processesWith(federation.kitOf(name)).length === 0);
    await Promise.all(["server", "site-1", "site-3"].map((name) => federation.start(name)));
  });
});

describe("where TLS does not end at the server", () => {
  it("the same commands do the same", async () => {
    const clear = await createFederation({ sites: ["site-1"], settings: { project: { connection_security: "clear" } } });
    try {
      await clear.startAll();
      const inClear = await clear.admin();
      const stateNow = async (): Promise<string | undefined> => (await inClear.status()).sites.find(({ name }) => name === "site-1")?.state;
      await inClear.disableClient("site-1");
      await eventually("it hears why", () => {
        const status = daemonStatus(clear.kitOf("site-1"));
        return status.state !== "stopped" && status.server?.state === "refused";
      });
      expect(await stateNow()).toBe("disabled");
      await inClear.enableClient("site-1");
      await eventually("it is back", async () => (await stateNow()) === "connected");
      expect(brief(await inClear.restart("all"))).toEqual({ localhost: "done", "site-1": "done" });
      expect(brief(await inClear.shutdown("all"))).toEqual({ localhost: "done", "site-1": "done" });
      inClear.close();
    } finally {
      await clear.dispose();
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

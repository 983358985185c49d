import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AddOneJobInit, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf, processesWith } from "./process-tree.js";

const sites = ["site-1", "site-2"];
let federation: Federation;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-jobs-"));
  federation = await createFederation({ sites });
  await federation.startAll();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("several jobs in one federation", () => {
  it("run at the same time, and give what each gives alone, also when one folder is submitted twice", async () => {
    const quick = await write("quick", { rounds: 3, trainMs: 50, parameters: 1_000 });
    const other = await write("other", { rounds: 4, trainMs: 30, parameters: 2_000 });
    const ids = await Promise.all([quick, quick, other].map(submit));
    expect(new Set(ids).size).toBe(3);
    const [first, second, third] = await Promise.all(ids.map((id) => followJob(federation, id)));
    for (const entries of [first, second, third]) expect(statusOf(entries)).toBe("FINISHED:COMPLETED");
    expect(resultOf(first)).toBe(resultOf(second));
    expect(resultOf(third)).not.toBe(resultOf(first));
  });

  it("keep no model of a past round at a site, and nothing at all once they are over", async () => {
    const jobId = await submit(await write("long", { rounds: 12, parameters: 10_000 }));
    const most = { objects: 0 };
    await followJob(federation, jobId, async ({ event }) => {
      if (event.type === "round-closed") most.objects = Math.max(most.objects, await objectsOf("site-1"));
    });
    // The files of the job (5), the models of two rounds that touch, and the result that is on its way.
    expect(most.objects).toBeLessThanOrEqual(8);
    for (const site of sites) await eventually(`${site} keeps nothing`, async () => (await objectsOf(site)) === 0);
  });
});

describe("a job that is aborted", () => {
  it("while its sites train ends at once, and no process of it is left", async () => {
    const jobId = await submit(await write("endless", { rounds: 2, trainMs: 600_000 }));
    await trainersOf(jobId, 2);
    const admin = await federation.admin();
    const watched = followJob(federation, jobId);
    expect(await admin.abortJob(jobId, "a test")).toEqual({ status: "FINISHED:ABORTED", wasOver: false });
    admin.close();
    expect(statusOf(await watched)).toBe("FINISHED:ABORTED");
    await eventually("nothing of the job runs", () => processesWith(jobId).length === 0, 10_000);
  });

  it("while a site is away is over for the site too when it comes back", async () => {
    const jobId = await submit(await write("away", { rounds: 2, trainMs: 600_000 }));
    await trainersOf(jobId, 2);
    await federation.stop("site-2");
    await abort(jobId);
    await federation.start("site-2");
    await eventually("site-2 is connected", () => isConnected("site-2"));
    await eventually("nothing of the job runs", () => processesWith(jobId).length === 0);
    await eventually("site-2 keeps nothing", async () => (await objectsOf("site-2")) === 0);
    expect(await readdir(join(federation.kitOf("site-2"), "models"))).not.toContain("lent");
  });

  it("while a site's parent was killed leaves no process there", async () => {
    const jobId = await submit(await write("killed", { rounds: 2, trainMs: 600_000 }));
    await trainersOf(jobId, 2);
    const parent = federation.pidOf("site-1") ?? 0;
    const children = descendantsOf(parent).map(({ pid }) => pid);
    expect(children.length).toBeGreaterThanOrEqual(2);
    process.kill(parent, "SIGKILL");
    await abort(jobId);
    await eventually("what the killed parent had started is gone", () => children.every((pid) => !isAlive(pid)), 10_000);
    await eventually("nothing of the job runs", () => processesWith(jobId).length === 0);
  });
});

async function write(name: string, init: Omit<AddOneJobInit, "folder">): Promise<string> {
  const path = join(folder, name);
  await writeAddOneJob({ folder: path, minClients: 2, args: { min_clients: 2 }, ...init });
  return path;
}

async function submit(path: string): Promise<string> {
  const admin = await federation.admin();
  try {
    return (await admin.submitJob(path)).jobId;
  } finally {
    admin.close();
  }
}

async function abort(jobId: string): Promise<void> {
  const admin = await federation.admin();
  await admin.abortJob(jobId);
  admin.close();
}

async function isConnected(site: string): Promise<boolean> {
  const admin = await federation.admin();
  const { sites: known } = await admin.status();
  admin.close();
  return known.some(({ name, state }) => name === site && state === "connected");
}

/** Waits until so many trainers of a job run. */
async function trainersOf(jobId: string, count: number): Promise<void> {
  await eventually(
    "the trainers run",
    () => processesWith(jobId).filter((entry) => entry.commandLine.includes("train.js")).length === count,
  );
}

/** Objects that a site's store holds. */
async function objectsOf(site: string): Promise<number> {
  const names = await readdir(join(federation.kitOf(site), "models", "objects"), { recursive: true });
  return names.filter((name) => name.includes("/")).length;
}

function isAlive(pid: number): boolean {
  return processesWith("").some((entry) => entry.pid === pid);
}

function statusOf(entries: readonly JournalEntry[] | undefined): string | undefined {
  const last = entries?.at(-1)?.event;
  return last?.type === "job-ended" ? last.status : undefined;
}

function resultOf(entries: readonly JournalEntry[] | undefined): string | undefined {
  const ended = entries?.find(({ event }) => event.type === "workflow-ended")?.event;
  return ended?.type === "workflow-ended" ? ended.model.hash : undefined;
}

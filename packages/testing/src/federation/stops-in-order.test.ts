import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEvent, JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { processesWith } from "./process-tree.js";

const sites = ["site-1", "site-2"];
let federation: Federation;
let folder: string;
/** Hashes of the models of the jobs whose processes were stopped and not killed. */
const results: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-stops-"));
  await writeAddOneJob({ folder, rounds: 3, trainMs: 150, minClients: 2, args: { min_clients: 2 } });
  federation = await createFederation({ sites });
  await federation.startAll();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("a federation with a running job", () => {
  it.each(["server", "site-1"])("stops its %s within 5 s, leaves no process of it, and the job goes on at the next start", async (name) => {
    const jobId = await submit();
    const ended = followJob(federation, jobId, async ({ event }) => {
      if (event.type !== "round-opened" || event.round !== 1) return;
      const startedMs = performance.now();
      await federation.stop(name);
      expect(performance.now() - startedMs).toBeLessThan(5_000);
      expect(processesWith(federation.kitOf(name))).toEqual([]);
      await federation.start(name);
    });
    results.push(resultOf(await ended));
    expect((await ended).at(-1)?.event).toEqual({
      type: "job-ended",
      status: "FINISHED:COMPLETED",
      reason: expect.stringContaining("rounds are done") as string,
    });
  });

  it("loses nothing when the server is killed in one moment after the other between submission and end", async () => {
    const moments: readonly JobEvent["type"][] = ["job-submitted", "job-started", "update-accepted", "round-closed", "workflow-ended"];
    const killedAt: string[] = [];
    const jobId = await submit();
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (!moments.includes(event.type) || killedAt.includes(event.type)) return;
      killedAt.push(event.type);
      process.kill(await eventually("the server runs", () => federation.pidOf("server")), "SIGKILL");
      // The watchdog would wait longer before each start.
      await federation.stop("server");
      await federation.start("server");
    });
    expect(killedAt).toEqual(moments);
    const types = entries.map(({ event }) => event.type);
    expect(entries.at(-1)?.event).toEqual({
      type: "job-ended",
      status: "FINISHED:COMPLETED",
      reason: expect.stringContaining("rounds are done") as string,
    });
    for (const type of ["job-submitted", "job-started", "workflow-ended", "job-ended"] as const) {
      expect(types.filter((other) => other === type).length, `times ${type}`).toBe(1);
    }
    expect(new Set([...results, resultOf(entries)]).size).toBe(1);
    await eventually("the sites have ended the job", () => processesWith(jobId).length === 0);
  });
});

function resultOf(entries: readonly JournalEntry[]): string {
  const ended = entries.find(({ event }) => event.type === "workflow-ended")?.event;
  return ended?.type === "workflow-ended" ? ended.model.hash : "none";
}

async function submit(): Promise<string> {
  const admin = await federation.admin();
  try {
    return (await admin.submitJob(folder)).jobId;
  } finally {
    admin.close();
  }
}

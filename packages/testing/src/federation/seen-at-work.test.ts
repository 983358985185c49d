import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminSession, OutputLine, SystemChange, TrackedPoint } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { createFederation, type Federation } from "./federation.js";

let federation: Federation;
let folder: string;
let admin: AdminSession;
let jobId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-job-"));
  federation = await createFederation({
    sites: ["open-1", "shut-1"],
    settings: { project: { allow_log_streaming: true }, perSite: { "shut-1": { allow_log_streaming: false } } },
  });
  await federation.startAll();
  admin = await federation.admin();
  await writeAddOneJob({ folder: join(folder, "job"), rounds: 3, parameters: 100_000, trainMs: 400, minClients: 2 });
  ({ jobId } = await admin.submitJob(join(folder, "job")));
});

afterAll(async () => {
  admin.close();
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("a federation at work, as admins see it", () => {
  it("tells the state, then what changes of it: sites, jobs, how far each site is", async () => {
    const stop = new AbortController();
    const changes: SystemChange[] = [];
    for await (const change of admin.watchSystem({ signal: stop.signal })) {
      changes.push(change);
      if (change.jobs.some((job) => job.status === "FINISHED:COMPLETED")) break;
    }
    stop.abort();
    expect(changes[0]).toMatchObject({ isWhole: true, server: { name: "localhost", project: "testfed" } });
    expect(changes[0]?.sites.map(({ name }) => name)).toEqual(["open-1", "shut-1"]);
    expect(changes.slice(1).every(({ isWhole }) => !isWhole)).toBe(true);
    const site = changes
      .flatMap(({ sites }) => sites)
      .filter(({ name }) => name === "open-1")
      .at(-1);
    expect(site).toMatchObject({
      org: "hospital",
      state: "connected",
      resources: { gpus: 0, memPerGpuGiB: 0 },
      allowsLogStreaming: true,
      lastError: null,
    });
    expect(site?.certificateEndsAtMs).toBeGreaterThan(Date.now());
    // Three models of 400 kB to each site; back, the sites' updates are the same bytes, which go once.
    const shut = changes
      .flatMap(({ sites }) => sites)
      .filter(({ name }) => name === "shut-1")
      .at(-1);
    expect(site?.sentBytes).toBeGreaterThan(1_200_000);
    expect((site?.receivedBytes ?? 0) + (shut?.receivedBytes ?? 0)).toBeGreaterThan(1_200_000);
    expect(site?.sentBytesPerSecond).toBeGreaterThan(0);
    expect(changes.flatMap(({ sites }) => sites).find(({ name }) => name === "shut-1")?.allowsLogStreaming).toBe(false);
  });

  it("gives what training scripts track, and log lines of the sites that allow it, live and afterwards", async () => {
    const points: TrackedPoint[] = [];
    const lines: OutputLine[] = [];
    for await (const news of admin.watchJobOutput(jobId, { metricsAfter: 0, linesAfter: 0 })) {
      points.push(...news.metrics);
      lines.push(...news.lines);
    }
    for (const site of ["open-1", "shut-1"]) {
      const own = points.filter((point) => point.site === site && point.key === "mean");
      expect(own.map(({ round, step }) => [round, step])).toEqual([
        [0, 0],
        [1, 10],
        [2, 20],
      ]);
    }
    const printed = lines.filter(({ source }) => source === "trainer").map(({ text }) => text);
    expect(printed.filter((text) => text.startsWith("mean of open-1 in round"))).toHaveLength(3);
    expect(lines.filter(({ site }) => site === "shut-1")).toEqual([]);
    expect(await admin.jobMetrics(jobId, { after: 2, limit: 2 })).toMatchObject({
      entries: points.slice(2, 4),
      hasMore: true,
      isCut: false,
    });
    expect((await admin.jobLogs(jobId)).entries).toEqual(lines);
    const events = await admin.jobEvents(jobId, { limit: 3 });
    expect(events).toMatchObject({ hasMore: true, entries: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] });
    const rest: string[] = [];
    for await (const { event } of admin.watchJob(jobId, { after: -1 })) rest.push(event.type);
    expect(rest).toEqual(["job-ended"]);
  });

  it("says of each round where its time went, as the sites have told it", async () => {
    const { rounds, status, name } = await admin.trace(jobId);
    expect([name, status, rounds.map(({ round }) => round)]).toEqual(["add-one", "FINISHED:COMPLETED", [0, 1, 2]]);
    for (const { fromMs, toMs = 0, tasks, longest, aggregation } of rounds) {
      expect(tasks.map(({ site, outcome }) => `${site} ${outcome}`)).toEqual(["open-1 answered", "shut-1 answered"]);
      for (const task of tasks) {
        const trained = task.spans.filter((span) => span.name === "training").reduce((ms, span) => ms + span.toMs - span.fromMs, 0);
        expect(trained).toBeGreaterThanOrEqual(400);
        expect([task.spans[0]?.fromMs, task.spans.at(-1)?.toMs]).toEqual([task.fromMs, task.toMs]);
        expect(task.spans.every((span, at) => span.fromMs === (task.spans[at - 1]?.toMs ?? fromMs))).toBe(true);
      }
      expect(tasks.map(({ site }) => site)).toContain(longest?.site);
      expect(aggregation?.toMs).toBe(toMs);
    }
  });

  it("submits a job once more under the same files, and deletes it with everything of it when it is over", async () => {
    const clone = await admin.cloneJob(jobId);
    expect(clone.jobId).not.toBe(jobId);
    expect(await admin.jobMeta(clone.jobId)).toMatchObject({ name: "add-one", submitterName: "admin@example.org" });
    await expect(admin.deleteJob(clone.jobId)).rejects.toMatchObject({ code: "job/not-over" });
    for await (const { event } of admin.watchJob(clone.jobId)) if (event.type === "round-closed") break;
    await admin.abortJob(clone.jobId);
    await expect
      .poll(() =>
        admin.deleteJob(clone.jobId).then(
          () => "deleted",
          ({ code }: { code: string }) => code,
        ),
      )
      .toBe("deleted");
    await expect(admin.jobMeta(clone.jobId)).rejects.toMatchObject({ code: "job/not-found" });
    // What both had stays for the other.
    expect((await admin.downloadJob(jobId, folder)).files).toHaveLength(2);
    expect((await admin.jobLogs(jobId)).entries.length).toBeGreaterThan(0);
  });
});

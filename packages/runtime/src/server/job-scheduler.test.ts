import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { JobLauncher, JobProcessExit } from "../job-process/job-launcher.js";
import { lineLogger } from "../logging/line-logger.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { FileModelStore } from "../store/file-model-store.js";
import type { ObjectRef } from "../store/model-store.js";
import { ObjectRetention } from "../store/object-retention.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import type { JobDefinition } from "./job-definition.js";
import { JobScheduler } from "./job-scheduler.js";
import { JobTable } from "./job-table.js";
import { JournalHub } from "./journal-hub.js";
import { ObjectGrants } from "./object-grants.js";
import { SiteDirectory } from "./site-directory.js";

const jobId = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a12";

describe("JobScheduler", () => {
  it("waits for room on the disk before it lets anybody believe that a job which ran before is over", async () => {
    const { scheduler, jobs, models, retention, meta, model } = await serverThatRanAJob();
    const find = vi.spyOn(models, "find");
    find.mockRejectedValueOnce(new FlareError("transfer/disk-full", "No space is left."));
    await scheduler.start();
    expect(find).toHaveBeenCalledWith(meta.hash);
    // Sites that come now are told of it, and what is removed as nobody's is not its model.
    expect(jobs.runningJobsOf("site-1")).toEqual([jobId]);
    await retention.sweep();
    expect(await models.find(model.hash)).toBeDefined();
  });

  it("leaves nothing behind of a job that is ended while it is laid out", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { scheduler, jobs, models } = await serverThatRanAJob();
    const find = models.find.bind(models);
    vi.spyOn(models, "find").mockImplementationOnce(async (hash) => {
      await jobs.get(jobId)?.end("FINISHED:ABORTED", "its submitter is not trusted any more");
      return await find(hash);
    });
    await scheduler.start();
    await expect.poll(() => jobs.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes on with jobs in the order in which they began, which is that of their GPUs at all sites", async () => {
    const { scheduler, jobs, store, signedJob } = await serverThatRanAJob(2);
    const later = "00000000-5f0e-4a52-9a3f-5f5a4f4a7a12";
    await addRunningJob(store, { jobId: later, signedJob, model: signedJob, startTimeMs: 1 });
    await store.updateJob(jobId, { startTimeMs: 2 });
    await scheduler.start();
    expect(jobs.runningJobsOf("site-1")).toEqual([later, jobId]);
  });

  it("stops waiting when the start is given up", async () => {
    const { scheduler, models } = await serverThatRanAJob();
    vi.spyOn(models, "find").mockRejectedValue(new FlareError("transfer/disk-full", "No space is left."));
    const start = new AbortController();
    const started = scheduler.start(start.signal);
    start.abort(new FlareError("internal/aborted", "A test."));
    await expect(started).rejects.toMatchObject({ code: "internal/aborted" });
  });
});

/** What a server finds that was stopped in the middle of a round. */
async function serverThatRanAJob(maxJobs = 1) {
  const root = await mkdtemp(join(tmpdir(), "flare-scheduler-"));
  const store = await openSqliteServerStore({ path: join(root, "server.db") });
  const objectsFolder = join(root, "models");
  const models = await FileModelStore.open({ root: objectsFolder });
  const meta = await models.importBytes(Buffer.from("{}"));
  const model = await models.importBytes(Buffer.from("the model of round 3"));
  const signedJob = await models.importBytes(Buffer.from("the signed job"));
  await addRunningJob(store, { jobId, signedJob, model });
  const logger = lineLogger(undefined);
  const hub = new JournalHub({ store, now: Date.now });
  const retention = new ObjectRetention({ models, logger });
  const jobs = new JobTable();
  const manifest = { files: [{ path: "meta.json", sha256: meta.hash, size: meta.size }] };
  const definition = { manifest, meta: { mandatoryClients: [] }, serverApp: "app" } as unknown as JobDefinition;
  const scheduler = new JobScheduler(
    {
      store,
      hub,
      models,
      retention,
      jobs,
      logger,
      directory: new SiteDirectory({ now: Date.now }),
      grants: new ObjectGrants({ mayUpload: async () => true }),
      studies: { studies: { hasSite: () => true } as never },
      launcher: silentProcesses,
      identity: { current: { trust: { project: "p" } } } as never,
      now: Date.now,
      stallClock: systemStallClock,
      readDefinition: async () => definition,
      boundary: { keep: async () => undefined },
      disabled: { get: () => undefined },
    },
    { maxJobs, maxJobsSetBy: "a test", workspace: root, objectsFolder, stallMs: 60_000 },
  );
  onTestFinished(async () => {
    await scheduler.stop();
    await store.close();
    await rm(root, { recursive: true });
  });
  return { scheduler, jobs, models, retention, meta, model, store, signedJob };
}

async function addRunningJob(
  store: Awaited<ReturnType<typeof openSqliteServerStore>>,
  job: { readonly jobId: string; readonly signedJob: ObjectRef; readonly model: ObjectRef; readonly startTimeMs?: number },
): Promise<void> {
  const { signedJob, startTimeMs } = job;
  const submitter = { submitterName: "ann@a.org", submitterOrg: "a", submitterRole: "lead", submitTimeMs: 0 };
  await store.addJob({ jobId: job.jobId, name: "job", study: "default", ...submitter, signedJob });
  await store.updateJob(job.jobId, { status: "RUNNING", apps: { "site-1": "app" }, ...(startTimeMs === undefined ? {} : { startTimeMs }) });
  const model = { hash: job.model.hash, size: job.model.size };
  await store.append(job.jobId, 0, { type: "round-opened", round: 3, task: "train", model, sites: ["site-1"], totalRounds: 9 });
}

/** Job processes that say nothing, and end when they are hung up on. */
const silentProcesses: JobLauncher = {
  launch: async () => {
    const { promise: exited, resolve } = Promise.withResolvers<JobProcessExit>();
    const end = (): void => resolve({ code: 0, signal: null });
    return { channel: { send() {}, onMessage() {}, onClose() {}, close: end }, pid: 1, exited, kill: end };
  },
};

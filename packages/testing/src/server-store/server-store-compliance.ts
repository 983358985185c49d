import type { ContentHash } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry, NewJob, ServerStore, TaskKey, TaskRecord } from "@flare-ts/runtime/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** An implementation of `ServerStore` under test. */
export interface ServerStoreSubject {
  /** Opens the store; called again after `close`, it must find what was there. */
  open(): Promise<ServerStore>;
  /** Removes everything that was stored. */
  dispose(): Promise<void>;
}

/** What every `ServerStore` promises. `create` makes an empty store for each test. */
export function serverStoreCompliance(name: string, create: () => Promise<ServerStoreSubject>): void {
  describe(`${name} as a ServerStore`, () => {
    let subject: ServerStoreSubject;
    let store: ServerStore;

    beforeEach(async () => {
      subject = await create();
      store = await subject.open();
    });

    afterEach(async () => {
      await store.close();
      await subject.dispose();
    });

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await subject.open();
    };

    describe("jobs", () => {
      it("gives a job back as it was added, also after a restart", async () => {
        const { job, isNew } = await store.addJob(newJob("j1"));
        expect(isNew).toBe(true);
        expect(job).toEqual({
          ...newJob("j1"),
          status: "SUBMITTED",
          startTimeMs: undefined,
          endTimeMs: undefined,
          reason: "",
          apps: {},
          result: undefined,
        });
        await reopen();
        expect(await store.job("j1")).toEqual(job);
        expect(await store.job("j2")).toBeUndefined();
      });

      it("takes the same job twice as one, and refuses another one under its id", async () => {
        await store.addJob(newJob("j1"));
        expect(await store.addJob({ ...newJob("j1"), submitTimeMs: 99 })).toMatchObject({ isNew: false, job: { submitTimeMs: 1_000 } });
        await expect(store.addJob({ ...newJob("j1"), signedJob: { hash: hash("f"), size: 1 } })).rejects.toMatchObject({
          code: "job/id-taken",
        });
        expect(await store.jobs()).toHaveLength(1);
      });

      it("lists jobs in the order of submission, filtered as asked", async () => {
        await store.addJob({ ...newJob("b1"), submitterName: "ann@a.org", name: "Lungs" });
        await store.addJob({ ...newJob("a1"), name: "lungs-2" });
        await store.addJob({ ...newJob("b2"), name: "50%_x", study: "hearts" });
        await store.updateJob("a1", { status: "RUNNING" });
        const ids = async (filter?: Parameters<ServerStore["jobs"]>[0]): Promise<string[]> =>
          (await store.jobs(filter)).map((job) => job.jobId);
        expect(await ids()).toEqual(["b1", "a1", "b2"]);
        expect(await ids({ isReversed: true, limit: 2 })).toEqual(["b2", "a1"]);
        expect(await ids({ after: "b1" })).toEqual(["a1", "b2"]);
        expect(await ids({ after: "b1", limit: 1 })).toEqual(["a1"]);
        expect(await ids({ after: "b2", isReversed: true, study: "default" })).toEqual(["a1", "b1"]);
        expect(await ids({ after: "b2" })).toEqual([]);
        expect(await ids({ after: "unknown" })).toEqual([]);
        expect(await ids({ idPrefix: "b" })).toEqual(["b1", "b2"]);
        expect(await ids({ namePrefix: "lungs" })).toEqual(["a1"]);
        expect(await ids({ namePrefix: "50%_" })).toEqual(["b2"]);
        expect(await ids({ namePrefix: "%" })).toEqual([]);
        expect(await ids({ submitterName: "ann@a.org" })).toEqual(["b1"]);
        expect(await ids({ statuses: ["RUNNING", "DISPATCHED"] })).toEqual(["a1"]);
        expect(await ids({ statuses: [] })).toEqual([]);
        expect(await ids({ study: "hearts" })).toEqual(["b2"]);
        expect(await ids({ study: "default", idPrefix: "b" })).toEqual(["b1"]);
      });

      it("finds the entries of all jobs that name an object, and no others", async () => {
        await store.addJob(newJob("j1"));
        await store.addJob(newJob("j2"));
        const named = { hash: hash("d"), size: 7 };
        await store.append("j1", 5, { type: "best-model", round: 1, model: named, metric: "auc", value: 1 });
        await store.append("j2", 6, { type: "workflow-ended", model: named, reason: "" });
        await store.append("j2", 7, { type: "workflow-ended", model: { hash: hash("e"), size: 7 }, reason: "" });
        const found = await store.entriesNaming(named.hash);
        const told = found.map(({ jobId, atMs, event }) => `${jobId} ${atMs} ${event.type}`);
        expect(new Set(told)).toEqual(new Set(["j1 5 best-model", "j2 6 workflow-ended"]));
        expect(told).toHaveLength(2);
        expect(await store.entriesNaming(hash("0"))).toEqual([]);
      });

      it("deletes a finished job with its journal and tasks, and no other", async () => {
        await store.addJob(newJob("j1"));
        await store.addJob(newJob("j2"));
        await expect(store.deleteJob("j3")).rejects.toMatchObject({ code: "job/not-found" });
        expect(await store.deleteJob("j1")).toBe(false);
        await store.append("j1", 5, { type: "job-started", sites: [] });
        await store.updateJob("j1", { status: "FINISHED:ABORTED" });
        expect(await store.deleteJob("j1")).toBe(true);
        expect((await store.jobs()).map(({ jobId }) => jobId)).toEqual(["j2"]);
        await reopen();
        expect(await store.entries("j1")).toEqual([]);
        await expect(store.deleteJob("j1")).rejects.toMatchObject({ code: "job/not-found" });
      });

      it("changes what it is told to and nothing else", async () => {
        await store.addJob(newJob("j1"));
        expect(await store.updateJob("j1", { status: "RUNNING", startTimeMs: 5, apps: { "site-1": "app" } })).toBe(true);
        expect(await store.updateJob("j1", {})).toBe(true);
        expect(await store.updateJob("j1", { result: { hash: hash("c"), size: 2 ** 40 } })).toBe(true);
        await reopen();
        expect(await store.job("j1")).toMatchObject({
          status: "RUNNING",
          startTimeMs: 5,
          apps: { "site-1": "app" },
          result: { hash: hash("c"), size: 2 ** 40 },
          endTimeMs: undefined,
        });
      });

      it("keeps the status of a job that is over", async () => {
        await store.addJob(newJob("j1"));
        await store.updateJob("j1", { status: "FINISHED:ABORTED", endTimeMs: 9, reason: "asked to" });
        expect(await store.updateJob("j1", { status: "FINISHED:COMPLETED", reason: "too late" })).toBe(false);
        expect(await store.job("j1")).toMatchObject({ status: "FINISHED:ABORTED", reason: "asked to" });
        await expect(store.updateJob("none", { reason: "" })).rejects.toMatchObject({ code: "job/not-found" });
      });
    });

    describe("journal", () => {
      it("numbers the entries of each job from 1 without gaps, whoever appends at the same time", async () => {
        await store.addJob(newJob("j1"));
        await store.addJob(newJob("j2"));
        const appended = await Promise.all(
          Array.from({ length: 60 }, (_, i) => store.append(i % 3 === 0 ? "j2" : "j1", i, { type: "site-connected", site: `s${i}` })),
        );
        await reopen();
        for (const [jobId, count] of [
          ["j1", 40],
          ["j2", 20],
        ] as const) {
          const entries = await store.entries(jobId);
          expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
          expect(entries).toEqual(appended.filter((entry) => entry.jobId === jobId).sort(bySeq));
          expect(await store.entries(jobId, count - 2)).toEqual(entries.slice(-2));
          expect(await store.entries(jobId, 5, 3)).toEqual(entries.slice(5, 8));
          expect(await store.entries(jobId, count - 2, 3)).toEqual(entries.slice(-2));
        }
      });

      it("refuses an entry for a job that is not there, and leaves no gap behind", async () => {
        await expect(store.append("none", 1, { type: "deadline-passed", round: 0 })).rejects.toMatchObject({ code: "job/not-found" });
        await store.addJob(newJob("j1"));
        expect(await store.append("j1", 1, { type: "deadline-passed", round: 0 })).toMatchObject({ seq: 1 });
        expect(await store.entries("none")).toEqual([]);
      });

      it("gives back every field of an event, numbers exactly", async () => {
        await store.addJob(newJob("j1"));
        const event = accepted("site-1", {
          metrics: { loss: 0.1 + 0.2, tiny: 5e-324 },
          meta: { text: "ä\u0000\u2028😀", list: [1, null] },
        });
        await store.append("j1", 1_795_000_000_123, event);
        expect(await store.entries("j1")).toEqual([{ jobId: "j1", seq: 1, atMs: 1_795_000_000_123, event }]);
      });
    });

    describe("tasks", () => {
      beforeEach(async () => {
        await store.addJob(newJob("j1"));
        await store.openTasks([task("site-1"), task("site-2")]);
      });

      it("gives each site its open tasks, oldest job first, and the same after a restart", async () => {
        await store.addJob(newJob("a0"));
        await store.openTasks([task("site-1", { jobId: "a0" }), task("site-1", { round: 1, meta: { lr: 0.5 } })]);
        await store.openTasks([task("site-1", { totalRounds: 99 })]);
        await reopen();
        expect(await store.openTasksOf("site-1")).toEqual([
          task("site-1"),
          task("site-1", { round: 1, meta: { lr: 0.5 } }),
          task("site-1", { jobId: "a0" }),
        ]);
        expect(await store.openTasksOf("site-2")).toEqual([task("site-2")]);
        expect(await store.openTasksOf("site-3")).toEqual([]);
        expect(await store.openTasksFor(key)).toEqual([task("site-1"), task("site-2")]);
        expect(await store.openTasksFor({ ...key, round: 1 })).toEqual([task("site-1", { round: 1, meta: { lr: 0.5 } })]);
        expect(await store.openTasksFor({ ...key, task: "other" })).toEqual([]);
      });

      it("opens no task of a job that is not there, and none of the others in the same call", async () => {
        await expect(store.openTasks([task("site-3"), task("site-3", { jobId: "none" })])).rejects.toMatchObject({ code: "job/not-found" });
        expect(await store.openTasksOf("site-3")).toEqual([]);
      });

      it("accepts an update once, and journals it in the same step", async () => {
        const first = await store.acceptUpdate(7, key, accepted("site-1"));
        expect(first).toEqual({ outcome: "accepted", entry: { jobId: "j1", seq: 1, atMs: 7, event: accepted("site-1") } });
        await reopen();
        expect(await store.acceptUpdate(8, key, accepted("site-1", { weight: 5 }))).toEqual({ outcome: "duplicate" });
        expect(await store.acceptUpdate(9, key, accepted("site-2"))).toMatchObject({ outcome: "accepted", entry: { seq: 2 } });
        expect((await store.entries("j1")).map((entry) => entry.event)).toEqual([accepted("site-1"), accepted("site-2")]);
        expect(await store.openTasksOf("site-1")).toEqual([]);
      });

      it("accepts one of many equal updates that arrive at once", async () => {
        const outcomes = await Promise.all(Array.from({ length: 10 }, () => store.acceptUpdate(1, key, accepted("site-1"))));
        expect(outcomes.filter(({ outcome }) => outcome === "accepted")).toHaveLength(1);
        expect(outcomes.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(9);
        expect(await store.entries("j1")).toHaveLength(1);
      });

      it("accepts what arrives together for several sites, without gaps, and numbers it in that order", async () => {
        const sites = Array.from({ length: 20 }, (_, i) => `many-${i}`);
        await store.openTasks(sites.map((site) => task(site)));
        const arrivals = sites.flatMap((site) => [accepted(site), { ...accepted(site), site: `stranger-${site}` }]);
        const outcomes = await Promise.all(arrivals.map((update) => store.acceptUpdate(1, key, update)));
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(sites.flatMap(() => ["accepted", "late"]));
        await reopen();
        expect((await store.entries("j1")).map(({ seq, event }) => [seq, event])).toEqual(sites.map((site, i) => [i + 1, accepted(site)]));
      });

      it("takes an update for a closed or unknown task as late, and changes nothing", async () => {
        await store.acceptUpdate(1, key, accepted("site-1"));
        await store.closeTask(key);
        await store.closeTask({ ...key, round: 5 });
        await store.openTasks([task("site-2")]);
        expect(await store.acceptUpdate(2, key, accepted("site-2"))).toEqual({ outcome: "late" });
        expect(await store.acceptUpdate(2, key, accepted("site-1"))).toEqual({ outcome: "duplicate" });
        expect(await store.acceptUpdate(2, key, accepted("site-3"))).toEqual({ outcome: "late" });
        expect(await store.acceptUpdate(2, { ...key, jobId: "none" }, accepted("site-1"))).toEqual({ outcome: "late" });
        expect(await store.acceptUpdate(2, { ...key, round: 1 }, accepted("site-1"))).toEqual({ outcome: "late" });
        expect(await store.entries("j1")).toHaveLength(1);
        expect(await store.openTasksOf("site-2")).toEqual([]);
      });

      it("marks a task as failed once; an update after that is late, a failure after an update is nothing", async () => {
        expect(await store.failTask(3, key, failed("site-1"))).toEqual({ jobId: "j1", seq: 1, atMs: 3, event: failed("site-1") });
        expect(await store.failTask(4, key, failed("site-1"))).toBeUndefined();
        expect(await store.acceptUpdate(5, key, accepted("site-1"))).toEqual({ outcome: "late" });
        await store.acceptUpdate(5, key, accepted("site-2"));
        expect(await store.failTask(6, key, failed("site-2"))).toBeUndefined();
        expect(await store.openTasksOf("site-1")).toEqual([]);
        expect((await store.entries("j1")).map((entry) => entry.event.type)).toEqual(["task-failed", "update-accepted"]);
      });

      it("wants nothing more for a job that is over", async () => {
        await store.updateJob("j1", { status: "FINISHED:COMPLETED" });
        expect(await store.openTasksOf("site-1")).toEqual([]);
        expect(await store.acceptUpdate(1, key, accepted("site-1"))).toEqual({ outcome: "late" });
        expect(await store.failTask(1, key, failed("site-1"))).toBeUndefined();
        expect(await store.entries("j1")).toEqual([]);
      });
    });
  });
}

const key: TaskKey = { jobId: "j1", round: 0, task: "train" };

function hash(digit: string): ContentHash {
  return digit.repeat(64) as ContentHash;
}

function newJob(jobId: string): NewJob {
  return {
    jobId,
    name: "job",
    study: "default",
    submitterName: "lead@a.org",
    submitterOrg: "clinic_a",
    submitterRole: "lead",
    submitTimeMs: 1_000,
    signedJob: { hash: hash("a"), size: 10 },
  };
}

function task(site: string, change: Partial<TaskRecord> = {}): TaskRecord {
  return { ...key, site, model: { hash: hash("b"), size: 20 }, totalRounds: 3, meta: {}, ...change };
}

type Accepted = Extract<JobEvent, { type: "update-accepted" }>;

function accepted(site: string, change: Partial<Accepted> = {}): Accepted {
  const update = { hash: hash("d"), size: 30 };
  return {
    type: "update-accepted",
    round: 0,
    task: "train",
    site,
    update,
    paramsType: "FULL",
    weight: 1.5,
    metrics: {},
    meta: {},
    ...change,
  };
}

function failed(site: string): Extract<JobEvent, { type: "task-failed" }> {
  return { type: "task-failed", round: 0, task: "train", site, error: { code: "internal/bug", message: "no luck" } };
}

function bySeq(a: JournalEntry, b: JournalEntry): number {
  return a.seq - b.seq;
}

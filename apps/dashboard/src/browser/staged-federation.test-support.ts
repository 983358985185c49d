import { FlareError } from "@flare-ts/contracts";
import type { FederationAdmin, FederationLink, FederationNews } from "@flare-ts/dashboard-api";
import type { Federation, Job, LinkState, WorkingSite } from "@flare-ts/dashboard-api/contract";
import { answer, closeRound, note, openRound, type StagedJob, stageJob } from "./staged-job.test-support.js";

/** Ids of the jobs on the stage, by what became of them. */
export const stagedJobs = {
  running: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a01",
  queued: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a02",
  completed: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a03",
  aborted: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a04",
  failed: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a05",
} as const;

/** Sites on the stage. */
const stagedSites = ["riverside", "northern-general", "mountain-clinic", "university-hospital", "lakeside"] as const;

const totalRounds = 20;
const roundMs = 47_000;
const day = 86_400_000;

/**
 * A federation on a stage, without a server: sites that work, that had an error and that are away; jobs that run, wait, are done, were
 * aborted and failed, with journals, curves, log lines and receipts. It stands still until a test moves it.
 */
export class StagedFederation implements FederationLink {
  readonly jobs = new Map<string, StagedJob>();
  sites: readonly WorkingSite[];
  readonly #listeners = new Set<(news: FederationNews) => void>();
  readonly #nowMs: number;
  #link: LinkState;
  #round: number;
  #answered = 1;
  #movedMs: number;

  constructor(init: { readonly nowMs: number }) {
    this.#nowMs = init.nowMs;
    this.#link = { isConnected: true, sinceMs: init.nowMs - 6 * day, reason: "" };
    this.sites = stagedSites.map((name, at) => this.#site(name, at));
    for (const staged of this.#cast()) this.jobs.set(staged.job.id, staged);
    this.#round = 6;
    this.#movedMs = init.nowMs;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The running job moves on: the next site answers, or the round closes and another one opens. */
  move(): void {
    const staged = this.#running();
    const { id, sites } = staged.job;
    this.#movedMs += 900;
    const next = sites[this.#answered];
    const [before, points, lines] = [staged.journal.length, staged.points.length, staged.lines.length];
    if (next !== undefined) {
      answer(staged, this.#round, next, this.#movedMs);
      this.#answered++;
    } else {
      closeRound(staged, this.#round, sites, [], this.#movedMs);
      this.#round++;
      openRound(staged, this.#round, Math.max(totalRounds, this.#round + 1), this.#movedMs);
      this.#answered = 0;
    }
    staged.job = { ...staged.job, progress: this.#progress(sites, this.#answered, this.#movedMs) };
    this.tell({ kind: "jobs", jobs: [staged.job], removed: [] });
    this.tell({ kind: "job-events", jobId: id, entries: staged.journal.slice(before) });
    this.tell({ kind: "metrics", jobId: id, points: staged.points.slice(points) });
    this.tell({ kind: "logs", jobId: id, lines: staged.lines.slice(lines) });
    this.sites = this.sites.map((site, at) => ({ ...site, receivedBytes: site.receivedBytes + at * 1000 }));
    this.tell({ kind: "sites", sites: this.sites });
  }

  /** The running job ends, as when it was aborted. */
  end(): void {
    const staged = this.#running();
    const reason = "by ada@university.org";
    staged.job = { ...staged.job, status: "FINISHED:ABORTED", endedAtMs: this.#movedMs, reason, progress: {} };
    note(staged, this.#movedMs, { type: "job-ended", status: "FINISHED:ABORTED", reason });
    this.tell({ kind: "jobs", jobs: [staged.job], removed: [] });
  }

  tell(news: FederationNews): void {
    if (news.kind === "link") this.#link = news.link;
    for (const listener of this.#listeners) listener(news);
  }

  state(): LinkState {
    return this.#link;
  }

  view(): Federation {
    return {
      link: this.#link,
      server: {
        name: "server.example.org",
        project: "breast_study",
        startedAtMs: this.#nowMs - 6 * day,
        softwareVersion: "0.1.0",
        receivedBytes: 41.2e9,
        sentBytes: 39.8e9,
      },
      sites: [...this.sites],
      jobs: [...this.jobs.values()].map(({ job }) => job).sort((a, b) => b.submittedAtMs - a.submittedAtMs),
      atMs: this.#movedMs,
    };
  }

  subscribe(listener: (news: FederationNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  followLogs(): () => void {
    return () => {};
  }

  admin(): FederationAdmin {
    if (!this.#link.isConnected) throw new FlareError("dashboard/federation-unreachable", this.#link.reason);
    const of = (id: string): StagedJob => {
      const staged = this.jobs.get(id);
      if (staged === undefined) throw new FlareError("job/not-found", `There is no job ${id}.`, { facts: { jobId: id } });
      return staged;
    };
    const page = <T extends { readonly seq: number }>(all: readonly T[], { after = 0, limit = 1000 } = {}) => {
      const rest = all.filter(({ seq }) => seq > after);
      return { entries: rest.slice(0, limit), hasMore: rest.length > limit, isCut: false };
    };
    const notHere = (): never => {
      throw new FlareError("dashboard/federation-unreachable", "A federation on a stage takes no such command.");
    };
    const answers: Partial<Record<keyof FederationAdmin, unknown>> = {
      listJobs: async () => this.view().jobs.map(summaryOf),
      jobMeta: async (id: string) => summaryOf(of(id).job),
      jobEvents: async (id: string, options: object) => page(of(id).journal, options),
      jobMetrics: async (id: string, options: object) => page(of(id).points, options),
      jobLogs: async (id: string, options: object) => page(of(id).lines, options),
      statistics: async (id: string) => of(id).statistics ?? [],
      receipts: async (id: string) => ({ receipts: [], verdicts: of(id).receipts }),
      abortJob: async () => this.end(),
    };
    return new Proxy({} as FederationAdmin, { get: (_target, name) => answers[name as keyof FederationAdmin] ?? notHere });
  }

  start(): void {}

  async stop(): Promise<void> {}

  #running(): StagedJob {
    const staged = this.jobs.get(stagedJobs.running);
    if (staged === undefined) throw new Error("the running job left the stage");
    return staged;
  }

  #site(name: string, at: number): WorkingSite {
    const isAway = name === "lakeside";
    return {
      name,
      organization: ["north", "north", "alps", "university", "lake"][at] ?? "north",
      state: isAway ? "disconnected" : "connected",
      sinceMs: this.#nowMs - (isAway ? 11 * 60_000 : (at + 1) * 9 * 3_600_000),
      reason: isAway ? "its link broke: the connection was reset" : "",
      relay: name === "mountain-clinic" ? "relay-alps" : null,
      softwareVersion: "0.1.0",
      resources: { gpus: [2, 1, 0, 4, 1][at] ?? 0, memPerGpuGiB: [24, 16, 0, 80, 16][at] ?? 0 },
      certificateEndsAtMs: this.#nowMs + (at === 2 ? 12 : 200 + at * 31) * day,
      allowsLogStreaming: at < 2,
      privacy: name === "mountain-clinic" ? { scopes: ["public", "private"], defaultScope: "private" } : null,
      receivedBytes: 5.1e9 + at * 1.7e9,
      sentBytes: 4.9e9 + at * 1.6e9,
      receivedBytesPerSecond: isAway ? null : 11e6 + at * 4e6,
      sentBytesPerSecond: isAway ? null : 18e6 + at * 9e6,
      lastError:
        name === "university-hospital"
          ? {
              atMs: this.#nowMs - 4 * 60_000,
              code: "site/trainer-failed",
              message: "The training script ended with status 1: CUDA out of memory while allocating 2.4 GiB.",
              todo: "Use a smaller batch at this site, or free memory of its GPU, and the site trains the round anew.",
              jobId: stagedJobs.running,
            }
          : null,
      jobs: isAway ? [] : [stagedJobs.running],
    };
  }

  #cast(): readonly StagedJob[] {
    const at = (ms: number): number => this.#nowMs - ms;
    const job = (id: string, name: string, status: string, change: Partial<Job>): Job => ({
      id,
      name,
      status,
      submitter: "dan@university.org",
      organization: "university",
      submittedAtMs: at(1000),
      startedAtMs: null,
      endedAtMs: null,
      reason: "",
      sites: [...stagedSites],
      progress: {},
      ...change,
    });
    const startMs = at(6 * roundMs + 20_000);
    const running = stageJob(
      job(stagedJobs.running, "tumour-segmentation", "RUNNING", {
        submittedAtMs: startMs - 4000,
        startedAtMs: startMs,
        progress: this.#progress(stagedSites, 1, at(2000)),
      }),
      { closedRounds: 6, totalRounds, startMs, roundMs, isOpen: true },
    );
    note(running, at(11_000), { type: "site-disconnected", site: "lakeside", reason: "its link broke: the connection was reset" });
    const queued = stageJob(
      job(stagedJobs.queued, "retina-grading", "SUBMITTED", {
        submittedAtMs: at(90_000),
        sites: [],
        reason: "waits for 5 sites; 4 are ready: lakeside is disconnected",
      }),
      { closedRounds: 0, totalRounds: 10, startMs: at(90_000), roundMs },
    );
    queued.journal.splice(1);
    const done = { submittedAtMs: at(day + 4000), startedAtMs: at(day), endedAtMs: at(day - totalRounds * roundMs) };
    const completed = stageJob(job(stagedJobs.completed, "tumour-segmentation", "FINISHED:COMPLETED", done), {
      closedRounds: totalRounds,
      totalRounds,
      startMs: at(day),
      roundMs,
    });
    note(completed, done.endedAtMs, { type: "job-ended", status: "FINISHED:COMPLETED", reason: "all rounds are done" });
    const abortedMs = at(2 * day);
    const aborted = stageJob(
      job(stagedJobs.aborted, "chest-x-ray-classification-with-a-name-that-is-long", "FINISHED:ABORTED", {
        submittedAtMs: abortedMs - 9000,
        startedAtMs: abortedMs,
        endedAtMs: abortedMs + 3.4 * roundMs,
        reason: "by dan@university.org: wrong learning rate",
        sites: stagedSites.slice(0, 3),
      }),
      { closedRounds: 3, totalRounds: 50, startMs: abortedMs, roundMs, isOpen: true },
    );
    note(aborted, abortedMs + 3.4 * roundMs, {
      type: "job-ended",
      status: "FINISHED:ABORTED",
      reason: "by dan@university.org: wrong learning rate",
    });
    const failedMs = at(3 * day);
    const failed = stageJob(
      job(stagedJobs.failed, "density", "FINISHED:EXECUTION_EXCEPTION", {
        submittedAtMs: failedMs - 3000,
        startedAtMs: failedMs,
        endedAtMs: failedMs + 2.2 * roundMs,
        reason: "round 3 had updates of 1 site; it needs 2",
        sites: stagedSites.slice(0, 2),
      }),
      { closedRounds: 2, totalRounds: 5, startMs: failedMs, roundMs, isOpen: true },
    );
    note(failed, failedMs + 2.1 * roundMs, {
      type: "task-failed",
      round: 2,
      task: "train",
      site: "northern-general",
      error: { code: "site/trainer-failed", message: "The training script ended with status 1: no module named monai." },
    });
    note(failed, failedMs + 2.2 * roundMs, { type: "job-ended", status: "FINISHED:EXECUTION_EXCEPTION", reason: failed.job.reason });
    failed.receipts = [...failed.receipts.slice(0, 1), { ok: false, number: 2, why: "its signature does not fit its text" }];
    return [running, queued, completed, aborted, failed];
  }

  #progress(sites: readonly string[], answered: number, atMs: number): Job["progress"] {
    const phases = ["training", "uploading", "downloading", "training"] as const;
    return Object.fromEntries(
      sites.slice(answered, -1).map((name, at) => [name, { phase: phases[at % 4] ?? "training", done: 30 + 17 * at, total: 100, atMs }]),
    );
  }
}

function summaryOf({ submitter, organization, submittedAtMs, startedAtMs, endedAtMs, id, ...job }: Job) {
  return {
    ...job,
    jobId: id,
    submitterName: submitter,
    submitterOrg: organization,
    submitterRole: "lead",
    submitTimeMs: submittedAtMs,
    startTimeMs: startedAtMs,
    endTimeMs: endedAtMs,
  };
}

import { create } from "@bufbuild/protobuf";
import { limits, TurnsByKey } from "@flare-ts/contracts";
import { type JobOutput, JobOutputTakenSchema, type LogLine, ServerMessageSchema, type TrackedMetric } from "@flare-ts/contracts/wire";
import { errorField, type Logger } from "../logging/logger.js";
import type { OutputLine, OutputNews, TrackedPoint } from "../output/job-output.js";
import type { OutputArchive } from "../output/output-archive.js";
import type { ServerStore } from "../store/server-store.js";
import type { JobTable } from "./job-table.js";
import type { SiteOutbox } from "./site-outbox.js";

export interface OutputServiceComponents {
  readonly archive: OutputArchive;
  readonly jobs: Pick<JobTable, "isParticipant" | "get">;
  readonly store: Pick<ServerStore, "job">;
  readonly logger: Logger;
  readonly now: () => number;
}

/** What a site still had to say when its job ended is taken for so long. */
const lastWordsMs = 60_000;
/** How many entries are read for a follower at a time. */
const pageEntries = 500;
/** A follower of a job that has ended waits so long for last words. */
const quietMs = 1_000;
/** Characters of a metric's name. */
const keyChars = 200;

/** Takes what sites say of their jobs beside updates, and lets admins follow it. */
export class OutputService {
  readonly #parts: OutputServiceComponents;
  /** Newest batch of each site and job; one that was taken is not written twice. */
  readonly #taken = new Map<string, { readonly epoch: string; readonly number: bigint }>();
  /** Of each site and job. */
  readonly #turns = new TurnsByKey();
  /** By job: runs out when nothing was said for so long that it may be forgotten. */
  readonly #quiet = new Map<string, NodeJS.Timeout>();

  constructor(components: OutputServiceComponents) {
    this.#parts = components;
  }

  /** Takes a batch of a site; the site is told when it is written, and may then send the next. */
  async hear(site: string, batch: JobOutput, outbox: Pick<SiteOutbox, "push">): Promise<void> {
    const { jobId, epoch, number } = batch;
    const key = `${site} ${jobId}`;
    // By a new stream the same may come again while it is being written.
    await this.#turns.take(key, () => this.#take(site, key, batch));
    outbox.push(
      create(ServerMessageSchema, {
        message: { case: "jobOutputTaken", value: create(JobOutputTakenSchema, { jobId, epoch, number }) },
      }),
    );
  }

  /** What the sites of a job said after some entries (-1 for none of it), then what they say, until the job is over. */
  async *follow(
    jobId: string,
    from: { readonly metrics?: number | undefined; readonly lines?: number | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<OutputNews, void, undefined> {
    const { archive } = this.#parts;
    let metricsAfter = from.metrics === -1 ? await archive.lastMetric(jobId) : from.metrics;
    let linesAfter = from.lines === -1 ? await archive.lastLine(jobId) : from.lines;
    let wake = Promise.withResolvers<void>();
    const stop = archive.follow(jobId, () => wake.resolve());
    const onAbort = (): void => wake.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        // Before reading: what comes in between wakes the next turn.
        wake = Promise.withResolvers<void>();
        const isRunning = this.#parts.jobs.get(jobId) !== undefined;
        const metrics = metricsAfter === undefined ? [] : (await archive.metrics(jobId, metricsAfter, pageEntries)).entries;
        const lines = linesAfter === undefined ? [] : (await archive.lines(jobId, linesAfter, pageEntries)).entries;
        metricsAfter = metrics.at(-1)?.seq ?? metricsAfter;
        linesAfter = lines.at(-1)?.seq ?? linesAfter;
        if (metrics.length > 0 || lines.length > 0) yield { metrics, lines };
        else if (!(await this.#waitsForMore(jobId, isRunning, wake.promise))) return;
      }
    } finally {
      stop();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Forgets what is in memory of a job that is over; last words that still come are written all the same. */
  forget(jobId: string): void {
    this.#parts.archive.forget(jobId);
    for (const key of this.#taken.keys()) if (key.endsWith(` ${jobId}`)) this.#taken.delete(key);
  }

  async #take(site: string, key: string, { jobId, epoch, number, metrics, lines, dropped }: JobOutput): Promise<void> {
    const { archive, logger } = this.#parts;
    const last = this.#taken.get(key);
    const isKnown = last !== undefined && last.epoch === epoch && number <= last.number;
    if (isKnown || !(await this.#isOfJob(site, jobId))) return;
    clearTimeout(this.#quiet.get(jobId));
    try {
      await archive.add(jobId, {
        metrics: metrics.flatMap((metric) => metricFromWire(site, metric)),
        lines: lines.map((line) => lineFromWire(site, line)),
        dropped,
      });
    } catch (error) {
      // Training goes on without a record of it, as on a full disk.
      logger.warn("what a site said of a job could not be written", { site, job: jobId, error: errorField(error) });
    }
    this.#taken.set(key, { epoch, number });
    this.#forgetLater(jobId);
  }

  /** Nobody may ever read what is kept of a job, and many jobs come in a year. */
  #forgetLater(jobId: string): void {
    clearTimeout(this.#quiet.get(jobId));
    const timer = setTimeout(() => {
      this.#quiet.delete(jobId);
      if (this.#parts.jobs.get(jobId) === undefined) this.forget(jobId);
      else this.#forgetLater(jobId);
    }, lastWordsMs);
    this.#quiet.set(jobId, timer.unref());
  }

  /** Resolves when there is more to read, or a while has passed; `false` when nothing more will come. */
  async #waitsForMore(jobId: string, isRunning: boolean, more: Promise<void>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const quiet = new Promise<"quiet">((resolve) => {
      timer = setTimeout(() => resolve("quiet"), quietMs);
    });
    const what = await Promise.race([more, quiet]);
    clearTimeout(timer);
    if (what !== "quiet" || isRunning) return true;
    const job = await this.#parts.store.job(jobId);
    return job !== undefined && job.endTimeMs === undefined;
  }

  async #isOfJob(site: string, jobId: string): Promise<boolean> {
    const { jobs, store, now } = this.#parts;
    if (jobs.isParticipant(jobId, site)) return true;
    const job = await store.job(jobId);
    return job?.endTimeMs !== undefined && now() - job.endTimeMs < lastWordsMs && Object.hasOwn(job.apps, site);
  }
}

function metricFromWire(site: string, { atMs, key, value, round, step }: TrackedMetric): Omit<TrackedPoint, "seq">[] {
  if (!Number.isFinite(value)) return [];
  return [{ atMs: Number(atMs), site, key: key.slice(0, keyChars), value, round: round ?? null, step: step ?? null }];
}

function lineFromWire(site: string, { atMs, source, text }: LogLine): Omit<OutputLine, "seq"> {
  return { atMs: Number(atMs), site, source: source === "job" ? "job" : "trainer", text: text.slice(0, limits.logLineChars) };
}

import type { FastifyBaseLogger } from "fastify";
import type { FederationAdmin, FederationNews } from "./federation-link.js";

export interface JobFollowersComponents {
  readonly tell: (news: FederationNews) => void;
  readonly logger: FastifyBaseLogger;
}

/** The newest that was heard of a job; a new connection goes on from there. -1: from now on. */
interface Heard {
  event: number;
  metric: number;
  line: number;
}

interface Followed {
  readonly heard: Heard;
  /** Set while its log lines are heard. */
  logs: AbortController | undefined;
}

/** Follows the journals and tracked metrics of jobs that are not over, and the log lines of those that somebody reads. */
export class JobFollowers {
  readonly #parts: JobFollowersComponents;
  readonly #jobs = new Map<string, Followed>();
  /** Readers of log lines by job. */
  readonly #readers = new Map<string, number>();
  #live: { readonly admin: FederationAdmin; readonly signal: AbortSignal } | undefined;

  constructor(components: JobFollowersComponents) {
    this.#parts = components;
  }

  /** A new connection: everything that was followed goes on over it, until the signal is aborted. */
  connected(admin: FederationAdmin, signal: AbortSignal): void {
    this.#live = { admin, signal };
    for (const [jobId, followed] of this.#jobs) this.#follow(jobId, followed);
  }

  /** Follows what is open now, and forgets the rest. A job that appears while others are watched is followed from its start. */
  keep(openJobs: readonly string[], isFirst: boolean): void {
    for (const jobId of openJobs) {
      if (this.#jobs.has(jobId)) continue;
      const from = isFirst ? -1 : 0;
      const followed: Followed = { heard: { event: from, metric: from, line: from }, logs: undefined };
      this.#jobs.set(jobId, followed);
      this.#follow(jobId, followed);
    }
    const open = new Set(openJobs);
    for (const [jobId, followed] of this.#jobs) {
      if (open.has(jobId)) continue;
      // Its streams end by themselves, with the last words.
      this.#jobs.delete(jobId);
      followed.logs = undefined;
    }
  }

  /** Somebody reads the log lines of a job. */
  readLogs(jobId: string): () => void {
    this.#readers.set(jobId, (this.#readers.get(jobId) ?? 0) + 1);
    const followed = this.#jobs.get(jobId);
    if (followed !== undefined && followed.logs === undefined) this.#followLogs(jobId, followed);
    let isReading = true;
    return () => {
      if (!isReading) return;
      isReading = false;
      const left = (this.#readers.get(jobId) ?? 1) - 1;
      if (left > 0) {
        this.#readers.set(jobId, left);
        return;
      }
      this.#readers.delete(jobId);
      const last = this.#jobs.get(jobId);
      last?.logs?.abort();
      if (last !== undefined) {
        last.logs = undefined;
        // Whoever reads next fetches what came meanwhile.
        last.heard.line = -1;
      }
    };
  }

  #follow(jobId: string, followed: Followed): void {
    if (this.#live === undefined || this.#live.signal.aborted) return;
    const { admin, signal } = this.#live;
    const { heard } = followed;
    const { tell } = this.#parts;
    this.#run(jobId, signal, async () => {
      for await (const { seq, atMs, event } of admin.watchJob(jobId, { signal, after: heard.event })) {
        heard.event = seq;
        tell({ kind: "job-events", jobId, entries: [{ seq, atMs, event: { ...event } }] });
      }
    });
    this.#run(jobId, signal, async () => {
      for await (const { metrics } of admin.watchJobOutput(jobId, { metricsAfter: heard.metric }, { signal })) {
        heard.metric = metrics.at(-1)?.seq ?? heard.metric;
        if (metrics.length > 0) tell({ kind: "metrics", jobId, points: metrics });
      }
    });
    followed.logs = undefined;
    if (this.#readers.has(jobId)) this.#followLogs(jobId, followed);
  }

  #followLogs(jobId: string, followed: Followed): void {
    if (this.#live === undefined || this.#live.signal.aborted) return;
    const { admin, signal } = this.#live;
    const logs = new AbortController();
    followed.logs = logs;
    const either = AbortSignal.any([signal, logs.signal]);
    this.#run(jobId, either, async () => {
      for await (const { lines } of admin.watchJobOutput(jobId, { linesAfter: followed.heard.line }, { signal: either })) {
        followed.heard.line = lines.at(-1)?.seq ?? followed.heard.line;
        if (lines.length > 0) this.#parts.tell({ kind: "logs", jobId, lines });
      }
    });
  }

  #run(jobId: string, signal: AbortSignal, work: () => Promise<void>): void {
    work().catch((err: unknown) => {
      // A connection that is over ends all streams; the next one begins them anew.
      if (!signal.aborted) this.#parts.logger.debug({ err, jobId }, "a job is not followed any more");
    });
  }
}

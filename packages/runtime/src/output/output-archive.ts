import { rm } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "@flare-ts/contracts";
import { BoundedLines } from "./bounded-lines.js";
import type { OutputLine, OutputPage, TrackedPoint } from "./job-output.js";

/** What was said, as it is kept. */
export interface SaidOutput {
  readonly metrics: readonly Omit<TrackedPoint, "seq">[];
  readonly lines: readonly Omit<OutputLine, "seq">[];
  /** So many more that the site had no room for. */
  readonly dropped: number;
}

interface JobFiles {
  readonly metrics: BoundedLines<TrackedPoint>;
  readonly logs: BoundedLines<OutputLine>;
  hasDropped: boolean;
}

/** Keeps what the sites of jobs say, in bounded files for each job, and tells those who follow a job that there is more. */
export class OutputArchive {
  readonly #folder: string;
  readonly #jobs = new Map<string, JobFiles>();
  readonly #followers = new Map<string, Set<() => void>>();

  constructor(init: { readonly folder: string }) {
    this.#folder = init.folder;
  }

  /** Writes down what a site says of a job; resolves when it is in the files. */
  async add(jobId: string, said: SaidOutput): Promise<void> {
    const files = this.#files(jobId);
    if (said.dropped > 0) files.hasDropped = true;
    await Promise.all([
      said.metrics.length > 0 ? files.metrics.append(said.metrics) : undefined,
      said.lines.length > 0 ? files.logs.append(said.lines) : undefined,
    ]);
    for (const wake of this.#followers.get(jobId) ?? []) wake();
  }

  async metrics(jobId: string, after: number, limit: number): Promise<OutputPage<TrackedPoint>> {
    const files = this.#files(jobId);
    const page = await files.metrics.read(after, limit);
    return { ...page, isCut: page.isCut || files.hasDropped };
  }

  async lines(jobId: string, after: number, limit: number): Promise<OutputPage<OutputLine>> {
    return await this.#files(jobId).logs.read(after, limit);
  }

  /** Number of the newest metric of a job. */
  async lastMetric(jobId: string): Promise<number> {
    return await this.#files(jobId).metrics.lastSeq();
  }

  /** Number of the newest log line of a job. */
  async lastLine(jobId: string): Promise<number> {
    return await this.#files(jobId).logs.lastSeq();
  }

  /** Calls back whenever there is more; returns what ends that. */
  follow(jobId: string, wake: () => void): () => void {
    const followers = this.#followers.get(jobId) ?? new Set();
    followers.add(wake);
    this.#followers.set(jobId, followers);
    return () => {
      followers.delete(wake);
      if (followers.size === 0 && this.#followers.get(jobId) === followers) this.#followers.delete(jobId);
    };
  }

  /** Drops what is kept in memory of a job that is over; its files stay. */
  forget(jobId: string): void {
    this.#jobs.delete(jobId);
  }

  /** Removes everything of a job. */
  async remove(jobId: string): Promise<void> {
    this.forget(jobId);
    await rm(join(this.#folder, jobId), { recursive: true, force: true });
  }

  #files(jobId: string): JobFiles {
    const known = this.#jobs.get(jobId);
    if (known !== undefined) return known;
    const files: JobFiles = {
      metrics: new BoundedLines({ file: join(this.#folder, jobId, "metrics.jsonl"), maxBytes: limits.jobMetricsBytes }),
      logs: new BoundedLines({ file: join(this.#folder, jobId, "logs.jsonl"), maxBytes: limits.jobLogBytes }),
      hasDropped: false,
    };
    this.#jobs.set(jobId, files);
    return files;
  }
}

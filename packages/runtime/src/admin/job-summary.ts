import type { JobStatus } from "../job/job-status.js";

/** A job, as admins see it. */
export interface JobSummary {
  readonly jobId: string;
  readonly name: string;
  readonly status: JobStatus;
  readonly submitterName: string;
  readonly submitterOrg: string;
  readonly submitterRole: string;
  readonly submitTimeMs: number;
  readonly startTimeMs: number | null;
  readonly endTimeMs: number | null;
  /** Why it ended as it did, or why it waits. */
  readonly reason: string;
  readonly sites: readonly string[];
  /** What each site last said of its task, for a job that runs: `waiting`, `training`, `uploading` with bytes done and in all. */
  readonly progress: Readonly<Record<string, SiteProgress>>;
}

/** How far a site is with its task. */
export interface SiteProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What it waits for, or what moved last, and how long ago. */
  readonly reason: string;
  readonly stillMs: number;
  readonly atMs: number;
}

/** One file of a finished job's result. */
export interface ResultFile {
  /** Path inside the result's folder. */
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

/** What the server says of itself and its sites. */
export interface SystemStatus {
  readonly server: { readonly name: string; readonly project: string; readonly startedAtMs: number };
  readonly sites: readonly {
    readonly name: string;
    readonly org: string;
    readonly state: "connected" | "disconnected";
    readonly sinceMs: number;
    readonly reason: string;
  }[];
  readonly runningJobs: readonly string[];
  /** Jobs that do not run yet, with the reason. Not from servers of older versions, nor is what follows. */
  readonly waitingJobs?: readonly { readonly jobId: string; readonly reason: string }[];
  /** Transfers that wait for room, in their order. */
  readonly waitingTransfers?: readonly { readonly who: string; readonly what: string; readonly reason: string; readonly sinceMs: number }[];
  /** What the server may hold, where that was set. */
  readonly budget?: { readonly maxMemoryBytes: number | null; readonly maxDiskBytes: number | null; readonly usedDiskBytes: number | null };
}

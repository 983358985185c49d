import type { JobStatus } from "../job/job-status.js";

/** A stretch of time with a name, in milliseconds since the epoch by the server's clock. */
export interface TraceSpan {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What was waited for; for people. */
  readonly reason?: string;
}

/** What became of a site's task. `open`: nobody knows yet. */
export type TaskOutcome = "answered" | "failed" | "missing" | "open";

/** One site's task in a round. */
export interface TaskTrace {
  readonly site: string;
  readonly fromMs: number;
  /** When its answer, or its failure, was at the server, or the round closed without it; `undefined` while it is open. */
  readonly toMs: number | undefined;
  readonly outcome: TaskOutcome;
  /** Why it failed. */
  readonly error?: string;
  /** Samples or steps, and bytes, of its update. */
  readonly weight?: number;
  readonly bytes?: number;
  /**
   * One after the other, from `fromMs` to `toMs`: `delivery` until the task was there, then what the site has told. Empty where it has told nothing,
   * as of a task that failed.
   */
  readonly spans: readonly TraceSpan[];
}

/** A step of secure aggregation in a round, until its last answer. */
export interface StepTrace {
  readonly step: string;
  readonly attempt: number;
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly answers: readonly { readonly site: string; readonly atMs: number }[];
}

/** What a round waited for longest, of what came before its last answer. */
export interface LongestWait {
  readonly site: string;
  /** As `TraceSpan.name`; `undefined` where the site has told nothing. */
  readonly phase: string | undefined;
  readonly ms: number;
}

/** One round, from its opening to its closing. */
export interface RoundTrace {
  readonly round: number;
  readonly task: string;
  /** Id of the workflow, where the job has several. */
  readonly workflow: string | undefined;
  readonly fromMs: number;
  readonly toMs: number | undefined;
  /** In the order in which they were given their task. */
  readonly tasks: readonly TaskTrace[];
  readonly steps: readonly StepTrace[];
  /** The making of the new model, before `toMs`. */
  readonly aggregation: TraceSpan | undefined;
  readonly longest: LongestWait | undefined;
}

/** Where the time of a job went. */
export interface JobTrace {
  readonly jobId: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly status: JobStatus | undefined;
  readonly rounds: readonly RoundTrace[];
}

import type { SerializedFlareError } from "@flare-ts/contracts/errors";
import type { JournalEntry } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";

/** How a workflow came to its end. */
export type WorkflowOutcome =
  | { readonly type: "finished" }
  | { readonly type: "failed"; readonly error: SerializedFlareError }
  /** The parent ended the job. */
  | { readonly type: "ended"; readonly status: JobStatus };

/** A workflow at work. */
export interface RunningWorkflow {
  /** Takes an entry of the journal that follows those of `run` and of earlier calls. */
  hear(entry: JournalEntry): void;
  /**
   * Goes on from where the journal stands, until the workflow or the job is over.
   *
   * @param entries those of the journal that are of this workflow; what follows comes through `hear`
   * @throws FlareError that another process may not meet, starting from the journal again; `internal/aborted` on abort
   */
  run(entries: readonly JournalEntry[], signal?: AbortSignal): Promise<WorkflowOutcome>;
}

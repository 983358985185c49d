import type { ObjectRef } from "../store/model-store.js";
import type { SiteFailure } from "./site-failure.js";

/** Where a workflow begins in its job, and what does not change while it runs. */
export interface WorkflowPlan {
  /** Sites of the job. */
  readonly sites: readonly string[];
  /** Sites without which the job fails. */
  readonly mandatoryClients: readonly string[];
  /** Number of its first round in the journal, which counts the rounds of all workflows of a job. */
  readonly firstRound: number;
  /** The model that it starts from. */
  readonly initialModel: ObjectRef;
  /** Sites that had left the job by then, in the order in which they did. */
  readonly left: readonly SiteFailure[];
  /** Its id, where the job has several workflows. */
  readonly workflow: string | undefined;
}

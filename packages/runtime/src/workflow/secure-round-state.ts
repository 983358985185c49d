import type { SecureAggregation, SerializedFlareError } from "@flare-ts/contracts";
import type { SecureStep } from "../secure-aggregation/step-tasks.js";
import type { ObjectRef } from "../store/model-store.js";
import type { RoundPlan, RoundState } from "./round-state.js";
import type { SiteFailure } from "./site-failure.js";
import type { Contribution } from "./workflow-machine.js";

/** What does not change while rounds run whose updates are added without being read. */
export interface SecureRoundPlan extends RoundPlan {
  readonly secure: SecureAggregation;
}

/** Where such a job stands: where its rounds do, and what they need besides. */
export interface SecureRoundState {
  readonly rounds: RoundState;
  /** The step in which sites hand in their keys, once for all rounds; `undefined` before it is open. Later answers count too. */
  readonly keys: OpenStep | undefined;
  /** Keys with which the updates of the open round are masked. */
  readonly roster: ObjectRef | undefined;
  /** What has been done to add the updates of a round that is closing. */
  readonly sum: RoundSum | undefined;
  readonly failed: SerializedFlareError | undefined;
}

/** An attempt to add the updates of a round. */
export interface RoundSum {
  readonly attempt: number;
  /** Sites with whose keys its updates are masked. */
  readonly masked: readonly string[];
  readonly roster: ObjectRef;
  /** The masked updates; of a new attempt those that it had when the sum was to be confirmed. */
  readonly contributions: readonly Contribution[];
  /** The step that confirmed it; `undefined` before. */
  readonly confirmed: OpenStep | undefined;
  readonly step: OpenStep;
}

/** A step that was asked of sites. */
export interface OpenStep {
  readonly round: number;
  readonly task: string;
  readonly step: SecureStep;
  readonly attempt: number;
  readonly document: ObjectRef;
  readonly sites: readonly string[];
  readonly openedAtMs: number;
  readonly answers: ReadonlyMap<string, ObjectRef>;
  readonly failures: readonly SiteFailure[];
  readonly hasDeadlinePassed: boolean;
}

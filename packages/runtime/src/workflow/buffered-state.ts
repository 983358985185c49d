import type { FedBuffSettings, SerializedFlareError } from "@flare-ts/contracts";
import type { StrategyState } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import type { ObjectRef } from "../store/model-store.js";
import type { BestSoFar } from "./judge-model.js";
import type { BestModel } from "./round-state.js";
import type { SiteFailure } from "./site-failure.js";
import type { Contribution, UpdateBase } from "./workflow-machine.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** What does not change while updates are buffered. */
export interface BufferedPlan extends WorkflowPlan {
  readonly settings: FedBuffSettings;
}

/** Where a workflow stands in which sites do not wait for each other. A round is the making of one model from the one before. */
export interface BufferedState {
  /** The newest model. */
  readonly model: ObjectRef;
  /** What the strategy has kept from the newest closed round; `undefined` before the first. */
  readonly strategyState: StrategyState | undefined;
  /** Sites that left the job, in the order in which they did. */
  readonly left: readonly SiteFailure[];
  /** Sites that were given a model. */
  readonly sites: ReadonlyMap<string, SiteTurn>;
  /** Models that a site is at work on, the newest, and those that are to be judged; by the round that began with them, ascending. */
  readonly bases: ReadonlyMap<number, BaseInUse>;
  /** Updates that are in no model yet, in the order in which they came. */
  readonly buffer: readonly BufferedUpdate[];
  /** Tasks that sites were given together, as long as one of them is at work on it. */
  readonly waves: readonly Wave[];
  /** Rounds whose tasks are over since the newest opened. */
  readonly overRounds: readonly number[];
  /** Sites whose task failed since the newest round opened, in the order in which they did. */
  readonly failures: readonly SiteFailure[];
  readonly best: BestSoFar | undefined;
  /** A best model that is not yet in the journal. */
  readonly unsavedBest: BestModel | undefined;
  readonly phase: BufferedPhase;
}

export type BufferedPhase =
  | {
      readonly name: "between";
      /** Number of the round to open next. */
      readonly nextRound: number;
      /** Why no round will follow. */
      readonly endReason: string | undefined;
    }
  | { readonly name: "collecting"; readonly round: number; readonly task: string }
  | {
      readonly name: "closing";
      readonly round: number;
      readonly task: string;
      /** The updates that the next model is made of. */
      readonly counted: readonly BufferedUpdate[];
    }
  | { readonly name: "ended"; readonly reason: string }
  | { readonly name: "failed"; readonly error: SerializedFlareError }
  | { readonly name: "over"; readonly status: JobStatus };

export interface SiteTurn {
  /** The round whose model it was given last. */
  readonly round: number;
  readonly isAtWork: boolean;
  /** Number of the journal's entry by which it was given that; who was given a model longest ago is next. */
  readonly since: number;
}

export interface BaseInUse {
  readonly model: ObjectRef;
  /** What sites have measured of it. */
  readonly answers: readonly Contribution[];
}

export type BufferedUpdate = Contribution & { readonly base: UpdateBase };

export interface Wave {
  /** Number of the journal's entry that says so. */
  readonly seq: number;
  readonly round: number;
  readonly task: string;
  readonly model: ObjectRef;
  readonly sites: readonly string[];
}

import type { RoundSettings, SerializedFlareError } from "@flare-ts/contracts";
import type { StrategyState } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import type { ObjectRef } from "../store/model-store.js";
import type { AnswerTimes } from "./answer-times.js";
import type { BestSoFar } from "./judge-model.js";
import type { SiteFailure } from "./site-failure.js";
import type { Contribution } from "./workflow-machine.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** What does not change while rounds run in which updates are combined. */
export interface RoundPlan extends WorkflowPlan {
  readonly settings: RoundSettings;
}

/** Where a job with rounds stands. */
export interface RoundState {
  /** The newest global model. */
  readonly model: ObjectRef;
  /** What the strategy has kept from the newest closed round; `undefined` before the first. */
  readonly strategyState: StrategyState | undefined;
  /** Sites that left the job, in the order in which they did. */
  readonly left: readonly SiteFailure[];
  /** How long sites took in the rounds so far; deadlines that are not set follow from it. */
  readonly times: AnswerTimes;
  /** Best value of the key metric so far, and rounds since then that brought no better one. */
  readonly best: BestSoFar | undefined;
  /** A best model that is not yet in the journal. */
  readonly unsavedBest: BestModel | undefined;
  readonly phase: RoundPhase;
}

export type RoundPhase =
  | {
      readonly name: "between";
      /** Number of the round to open next. */
      readonly nextRound: number;
      /** Why no round will follow. */
      readonly endReason: string | undefined;
      /** The task of the last round, when some site never answered it. */
      readonly unclosedTask: { readonly round: number; readonly task: string } | undefined;
    }
  | ({ readonly name: "collecting" } & OpenRound)
  | ({ readonly name: "closing" /** Sites whose updates count, sorted. */; readonly contributors: readonly string[] } & OpenRound)
  | { readonly name: "ended"; readonly reason: string }
  | { readonly name: "failed"; readonly error: SerializedFlareError }
  | { readonly name: "over"; readonly status: JobStatus };

export interface OpenRound {
  /** What each site is given, where that is not the same for all. */
  readonly models?: Readonly<Record<string, ObjectRef>> | undefined;
  readonly round: number;
  readonly task: string;
  /** The model that the sites train on. */
  readonly model: ObjectRef;
  /** Sites that were asked, sorted. */
  readonly sites: readonly string[];
  readonly openedAtMs: number;
  /** Answers by site. */
  readonly answers: ReadonlyMap<string, Contribution>;
  /** Sites that failed in this round, in the order in which they did. */
  readonly failures: readonly SiteFailure[];
  /** When the number of answers reached the quorum. */
  readonly quorumAtMs: number | undefined;
  readonly hasDeadlinePassed: boolean;
}

export interface BestModel {
  /** The round in which the sites measured the model. */
  readonly round: number;
  readonly model: ObjectRef;
  readonly metric: string;
  readonly value: number;
}

import type { FlareError } from "@flare-ts/contracts/errors";
import type { StatisticsFile, StrategyState } from "../job/job-event.js";
import type { ObjectRef } from "../store/model-store.js";
import type { WorkflowEffect } from "./workflow-machine.js";

/** What comes of the answers of a round that asks for no model. */
export interface SummarizedRound {
  /** What the next round begins with. */
  readonly model: ObjectRef;
  /** What is kept for it. */
  readonly state: StrategyState;
  readonly statistics?: StatisticsFile;
  /** What each site has made for another one. */
  readonly models?: Readonly<Record<string, ObjectRef>>;
  /** Sites whose answer cannot be used, and why; then nothing else counts. */
  readonly unusable: readonly (readonly [site: string, problem: FlareError])[];
}

/** Reads answers of sites that are no models. What it makes depends on them alone, so it may be made again. */
export interface RoundSummary {
  /** @throws what is no fault of the answers */
  summarize(effect: Extract<WorkflowEffect, { type: "summarize" }>): Promise<SummarizedRound>;
}

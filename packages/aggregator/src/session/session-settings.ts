import type { FinishInit, ParamsType } from "../aggregation-engine.js";
import type { Strategy } from "../strategies/strategy.js";
import type { AcceptedUpdate } from "./accepted-update.js";
import type { Arithmetic } from "./arithmetic.js";
import type { ModelIndex } from "./match-layout.js";

export interface SessionComponents {
  readonly nowMs: () => number;
  readonly arithmetic: Arithmetic;
}

/** What a session was opened with, complete. */
export interface SessionSettings {
  readonly engine: string;
  readonly model: ModelIndex;
  readonly strategy: Strategy;
  readonly paramsType: ParamsType;
  /** Whether values are checked when an update is added. */
  readonly isCheckedEarly: boolean;
  /** Grid of each tensor of the model, where it was announced. */
  readonly announced: Float64Array | undefined;
  readonly startMs: number;
  /** Where updates that come as streams are kept. */
  readonly spoolFolder: string;
}

/** What a session is finished with. */
export interface FinishSettings extends SessionSettings {
  /** Sorted by name. */
  readonly updates: readonly AcceptedUpdate[];
  readonly finish: FinishInit;
  readonly result: "model" | "sums";
}

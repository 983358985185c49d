import type { Tensor } from "@flare-ts/aggregator/safetensors";
import type { Metrics } from "../job/job-event.js";
import type { Meta } from "./protocol.js";

/** What a model's parameters are: whole (`FULL`), or the difference to the model that was received (`DIFF`). */
export const ParamsType = Object.freeze({ FULL: "FULL", DIFF: "DIFF" } as const);
export type ParamsType = (typeof ParamsType)[keyof typeof ParamsType];

/** Fields of a model. The answer to an evaluation needs `metrics`, any other one `params`. */
export interface FLModelInit {
  /** Tensors by name. A result may hold some of the model's, such as adapters: the others stay as they are. */
  readonly params?: Readonly<Record<string, Tensor>>;
  /** @default "FULL" */
  readonly paramsType?: ParamsType;
  /** Finite numbers by name, such as the accuracy of the model that was received. */
  readonly metrics?: Metrics;
  readonly currentRound?: number;
  readonly startRound?: number;
  readonly totalRounds?: number;
  /** Plain JSON; a result needs `NUM_STEPS_CURRENT_ROUND` here, its weight in the average. An evaluation without one counts as 1. */
  readonly meta?: Meta;
}

/** A model as it is received from and sent to a federation; FLARE's fields in camelCase. */
export class FLModel implements FLModelInit {
  readonly params: Readonly<Record<string, Tensor>>;
  readonly paramsType: ParamsType;
  readonly metrics: Metrics;
  readonly currentRound: number | undefined;
  readonly startRound: number | undefined;
  readonly totalRounds: number | undefined;
  readonly meta: Meta;

  constructor(init: FLModelInit) {
    this.params = init.params ?? {};
    this.paramsType = init.paramsType ?? ParamsType.FULL;
    this.metrics = init.metrics ?? {};
    this.currentRound = init.currentRound;
    this.startRound = init.startRound;
    this.totalRounds = init.totalRounds;
    this.meta = init.meta ?? {};
  }
}

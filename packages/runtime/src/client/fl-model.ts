import type { Tensor } from "@flare-ts/aggregator/safetensors";
import type { Metrics } from "../job/job-event.js";
import type { Meta } from "./protocol.js";

/** What a model's parameters are: whole (`FULL`), or the difference to the model that was received (`DIFF`). */
export const ParamsType = Object.freeze({ FULL: "FULL", DIFF: "DIFF" } as const);
export type ParamsType = (typeof ParamsType)[keyof typeof ParamsType];

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Fields of a model. The answer to an evaluation needs `metrics`, any other one `params`. */
export interface FLModelInit {
  /** A result may hold some of the model's tensors, such as adapters: the others stay as they are. */
  readonly params?: Tensors;
  /** @default "FULL" */
  readonly paramsType?: ParamsType;
  /** Finite numbers by name, such as the accuracy of the model that was received. */
  readonly metrics?: Metrics;
  readonly currentRound?: number;
  readonly startRound?: number;
  readonly totalRounds?: number;
  /** Plain JSON; a result needs `NUM_STEPS_CURRENT_ROUND` here, its weight in the average. An evaluation without one counts as 1. */
  readonly meta?: Meta;
  /**
   * In a job with the workflow Scaffold: the federation's control variates c of a received model, by the names of their tensors; FLARE's
   * `meta["scaffold_c_global"]`. Of no effect in a result.
   */
  readonly controlVariates?: Tensors | undefined;
  /** In such a job, and needed in its results: what training adds to the site's own control variates; FLARE's `meta["scaffold_c_diff"]`. */
  readonly controlChanges?: Tensors | undefined;
}

/** A model as it is received from and sent to a federation; FLARE's fields in camelCase. */
export class FLModel implements FLModelInit {
  readonly params: Tensors;
  readonly paramsType: ParamsType;
  readonly metrics: Metrics;
  readonly currentRound: number | undefined;
  readonly startRound: number | undefined;
  readonly totalRounds: number | undefined;
  readonly meta: Meta;
  readonly controlVariates: Tensors | undefined;
  readonly controlChanges: Tensors | undefined;

  constructor(init: FLModelInit) {
    this.params = init.params ?? {};
    this.paramsType = init.paramsType ?? ParamsType.FULL;
    this.metrics = init.metrics ?? {};
    this.currentRound = init.currentRound;
    this.startRound = init.startRound;
    this.totalRounds = init.totalRounds;
    this.meta = init.meta ?? {};
    this.controlVariates = init.controlVariates;
    this.controlChanges = init.controlChanges;
  }
}

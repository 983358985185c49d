import { fedOpt, fedOptRules } from "./fed-opt.js";
import { numberRule, readSettings } from "./setting-rules.js";
import type { Strategy } from "./strategy.js";

export interface FedAvgMSettings {
  /** Server's learning rate γ, above 0 and at most 1000. @default 1 */
  readonly learningRate?: number;
  /** Decay β of the momentum, at least 0 and below 1; at 0 none is kept. @default 0.9 */
  readonly momentum?: number;
  /** As in `FedSgdSettings`. */
  readonly plainTensors?: readonly string[];
}

export const fedAvgMRules = {
  ...fedOptRules.sgd,
  learningRate: numberRule({ above: 0, atMost: 1000 }, 1),
  momentum: numberRule({ atLeast: 0, below: 1 }, 0.9),
};

/**
 * FedAvg with momentum on the server, where Δ is the weighted mean of the contributors' changes:
 *
 *     v ← β v + Δ        x ← x + γ v
 *
 * It is `fedOpt` with `sgd` and this paper's defaults. Takes FULL and DIFF; needs a base. Costs one pass over the updates, and a
 * float32 tensor of state for v.
 *
 * @see Hsu, Qi, Brown, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification",
 *   arXiv:1909.06335, 2019, section 4.3
 * @throws `aggregate/strategy-invalid`
 */
export function fedAvgM(settings: FedAvgMSettings = {}): Strategy {
  const { plainTensors, ...rates } = readSettings("fed-avg-m", fedAvgMRules, settings);
  return fedOpt({ optimizer: "sgd", ...rates, ...(plainTensors === undefined ? {} : { plainTensors }) });
}

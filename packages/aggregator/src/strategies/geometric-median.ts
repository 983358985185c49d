import { neededDistances } from "./needed-facts.js";
import { choiceRule, numberRule, readSettings, shownSettings } from "./setting-rules.js";
import { roundedFactor, type Weighting, weightBy, weightings } from "./shares.js";
import type { Strategy } from "./strategy.js";
import { weiszfeldShares } from "./weiszfeld-shares.js";

export interface GeometricMedianSettings {
  /** Steps at most, a whole number, 1 to 10000. @default 100 */
  readonly iterations?: number;
  /** The iteration ends with a step shorter than this times the median of the distances; 0 to 1. @default 1e-8 */
  readonly tolerance?: number;
  /** Distance ν below which an update attracts no more than at ν; above 0 and at most 1e6, in units of the model. @default 1e-6 */
  readonly smoothing?: number;
  /** `samples` is the paper's; a number of samples is the contributor's own word. @default "uniform" */
  readonly weighting?: Weighting;
}

export const geometricMedianRules = {
  iterations: numberRule({ atLeast: 1, atMost: 10_000, isWhole: true }, 100),
  tolerance: numberRule({ atLeast: 0, atMost: 1 }, 1e-8),
  smoothing: numberRule({ above: 0, atMost: 1e6 }, 1e-6),
  weighting: choiceRule(weightings, "uniform"),
};

/**
 * The geometric median: the point z with the smallest Σ p_k ‖z - x_k‖. Contributors with less than half of the weights p_k,
 * whatever they send, can move it only as far as the others lie apart. It is found by the smoothed Weiszfeld algorithm,
 *
 *     z ← Σ β_k x_k / Σ β_k        β_k = p_k / max(ν, ‖z - x_k‖)
 *
 * Every z is a mean of the updates, so all of it is computed on the distances between them: only the last mean touches their
 * values. Where distances differ by more than 1e8 to 1, float64 holds little of the smaller ones in the larger; the point is
 * then still among the near updates, though not exactly the median.
 *
 * Takes FULL and DIFF; all contributors have to send the same tensors. Costs a pass that measures n (n - 1) / 2 distances, one
 * over the updates, and n² operations for each iteration.
 *
 * @see Pillutla, Kakade, Harchaoui, "Robust Aggregation for Federated Learning", IEEE Transactions on Signal Processing 70,
 *   2022, algorithm 2
 * @throws `aggregate/strategy-invalid`
 */
export function geometricMedian(settings: GeometricMedianSettings = {}): Strategy {
  const read = readSettings("geometric-median", geometricMedianRules, settings);
  return Object.freeze({
    name: "geometric-median",
    settings: shownSettings(read),
    needs: { distances: true },
    combine: { kind: "mean" },
    weigh: (facts) => {
      const weights = facts.contributors.map((contributor) => weightBy(read.weighting, contributor));
      const parts = weiszfeldShares(neededDistances(facts), weights, read);
      return Array.from(parts, (part) => ({ factor: roundedFactor(part), weight: roundedFactor(part) }));
    },
  } as const satisfies Strategy);
}

import { scaleChange } from "./scale-change.js";
import { choiceRule, namesRule, numberRule, readSettings, shownSettings } from "./setting-rules.js";
import { roundedFactor, type Weighting, weightBy, weightings } from "./shares.js";
import type { Strategy } from "./strategy.js";

export interface FedBuffSettings {
  /** Server's learning rate η_g, above 0 and at most 1000. @default 1 */
  readonly learningRate?: number;
  /** Exponent α of the staleness, 0 to 10; at 0 old updates count as new ones. @default 0.5 */
  readonly stalenessExponent?: number;
  /** `uniform` is the paper's. @default "uniform" */
  readonly weighting?: Weighting;
  /** As in `FedSgdSettings`; only a rate other than 1 makes a difference to them. */
  readonly plainTensors?: readonly string[];
}

export const fedBuffRules = {
  learningRate: numberRule({ above: 0, atMost: 1000 }, 1),
  stalenessExponent: numberRule({ atLeast: 0, atMost: 10 }, 0.5),
  weighting: choiceRule(weightings, "uniform"),
  plainTensors: namesRule(),
};

/**
 * FedBuff: a buffer of K updates, each trained from a model that is τ_k versions old, makes the next version:
 *
 *     x ← x + η_g · Σ p_k s(τ_k) Δ_k / Σ p_k        s(τ) = 1 / (1 + τ)^α
 *
 * where p_k is 1, so that the divisor is K, or the number of samples. An old update counts less and takes nothing off the
 * divisor. Takes DIFF, as only differences mean something to a model other than the one they were made from; needs a base.
 * Costs one pass over the updates.
 *
 * @see Nguyen, Malik, Zhan, Yousefpour, Rabbat, Malek, Huba, "Federated Learning with Buffered Asynchronous Aggregation",
 *   AISTATS 2022, Algorithm 1; s with α = 0.5 is its section 5, after Xie, Koyejo, Gupta, "Asynchronous Federated
 *   Optimization", 2019
 * @throws `aggregate/strategy-invalid`
 */
export function fedBuff(settings: FedBuffSettings = {}): Strategy {
  const read = readSettings("fed-buff", fedBuffRules, settings);
  const { learningRate, stalenessExponent, weighting, plainTensors } = read;
  return Object.freeze({
    name: "fed-buff",
    settings: shownSettings(read),
    needs: { paramsType: "DIFF" },
    combine: { kind: "mean" },
    weigh: ({ contributors }) =>
      contributors.map((contributor) => {
        const weight = weightBy(weighting, contributor);
        return { factor: roundedFactor(weight / (1 + contributor.staleness) ** stalenessExponent), weight };
      }),
    step: scaleChange(learningRate, plainTensors),
  } as const satisfies Strategy);
}

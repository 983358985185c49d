import { neededNorm } from "./needed-facts.js";
import { choiceRule, numberRule, readSettings, shownSettings } from "./setting-rules.js";
import { roundedFactor, type Weighting, weightBy, weightings } from "./shares.js";
import type { Strategy } from "./strategy.js";

export interface NormClipSettings {
  /** Largest Euclidean norm C of a change, over all floating tensors together; 1e-9 to 1e9. */
  readonly clipNorm: number;
  /** @default "samples" */
  readonly weighting?: Weighting;
}

export const clipNormRule = numberRule({ atLeast: 1e-9, atMost: 1e9 });

export const normClipRules = { clipNorm: clipNormRule, weighting: choiceRule(weightings, "samples") };

/**
 * FedAvg with clipping: a change that is longer than C is shortened to C before it is averaged, so that no contributor moves
 * the model by more than its part of C:
 *
 *     x ← x + Σ p_k min(1, C / ‖x_k - x‖) (x_k - x) / Σ p_k
 *
 * where p_k is the number of samples, or 1. Integer tensors have no part in the norm and are shortened with the rest. A change
 * that is more than 2^100 times as long as allowed counts as none.
 *
 * Takes FULL and DIFF; needs a base. Costs a pass that measures norms, and one that sums.
 *
 * @see Sun, Kairouz, Suresh, McMahan, "Can You Really Backdoor Federated Learning?", 2019, section 4
 * @throws `aggregate/strategy-invalid`
 */
export function normClip(settings: NormClipSettings): Strategy {
  const read = readSettings("norm-clip", normClipRules, settings);
  const { clipNorm, weighting } = read;
  return Object.freeze({
    name: "norm-clip",
    settings: shownSettings(read),
    needs: { norms: true },
    combine: { kind: "mean" },
    weigh: ({ contributors }) =>
      contributors.map((contributor) => {
        const weight = weightBy(weighting, contributor);
        return { factor: roundedFactor(weight * Math.min(1, clipNorm / neededNorm(contributor))), weight };
      }),
  } as const satisfies Strategy);
}

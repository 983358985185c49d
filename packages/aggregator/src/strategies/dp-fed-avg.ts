import { isFloatDtype } from "../tensor.js";
import { addGaussianNoise, type RandomBytes } from "./gaussian-noise.js";
import { neededNorm } from "./needed-facts.js";
import { clipNormRule } from "./norm-clip.js";
import { numberRule, readSettings, shownSettings } from "./setting-rules.js";
import { roundedFactor } from "./shares.js";
import type { StepBlock, Strategy } from "./strategy.js";

export interface DpFedAvgSettings {
  /** Largest Euclidean norm C of a contributor's change, over all floating tensors together; 1e-9 to 1e9. */
  readonly clipNorm: number;
  /** Noise z as a multiple of C, 0.001 to 1000; what the accountant takes. At 0.5 one round has an ε above 10 for δ = 1e-5. */
  readonly noiseMultiplier: number;
  /** Contributors M that a round is planned for, a whole number, 1 to 1000000. It divides, whoever comes. */
  readonly expectedContributors: number;
}

export interface DpFedAvgInit extends DpFedAvgSettings {
  readonly randomBytes: RandomBytes;
}

export const dpFedAvgRules = {
  clipNorm: clipNormRule,
  noiseMultiplier: numberRule({ atLeast: 0.001, atMost: 1000 }),
  expectedContributors: numberRule({ atLeast: 1, atMost: 1e6, isWhole: true }),
};

/** What a norm may be off by, and what rounding may add to a factor, relative to it. */
const shave = 1 - 2 ** -28;

/**
 * FedAvg with differential privacy for whole contributors: each change is shortened to C, all count the same, and Gaussian
 * noise is added to every element:
 *
 *     x ← x + (Σ min(1, C / ‖x_k - x‖) (x_k - x) + N(0, (zC)²)) / M
 *
 * With or without one contributor the sum differs by at most C, which makes a round the Gaussian mechanism with noise
 * multiplier z; `epsilonFor` says what many rounds add up to. That rests on these choices:
 *
 * - the divisor M is fixed, as the number of those that came would itself say whether one was there. Where fewer come, the
 *   change is smaller;
 * - a tensor that a contributor did not send counts as unchanged, and noise goes on all floating tensors of the model, also on
 *   those that nobody sent: the lack of noise would tell;
 * - integer tensors keep the base's values, as no norm bounds them;
 * - running statistics are clipped and get noise like everything else. A variance may become negative so; use models without
 *   batch normalisation.
 *
 * Float64 noise is not real-valued, and the last bits of a sum can give its parts away (Mironov 2012). Therefore each value of
 * noise is a sum of four (`gaussianNoise`), and both the sum of changes and the noise are rounded, before they are added without
 * rounding, to one grid that depends on the settings alone: a power of two of at most 2^-30 standard deviations. That adds less
 * than z · 2^-30 · √d of C to what one contributor can do in d elements, and sums of N updates in the mode `fast` add up to
 * (N + 2)² · 2^-24 of C. It is no proof: the time that the computation takes, and the quality of `randomBytes`, are outside of it.
 *
 * Takes FULL and DIFF; needs a base. Costs a pass that measures norms, one that sums, and 32 random bytes for each element.
 *
 * @see McMahan, Ramage, Talwar, Zhang, "Learning Differentially Private Recurrent Language Models", ICLR 2018, Algorithm 1 with
 *   flat clipping and the estimator with a fixed denominator
 * @see Andrew, Thakkar, McMahan, Ramaswamy, "Differentially Private Learning with Adaptive Clipping", NeurIPS 2021, on how to
 *   choose C; it stays fixed here
 * @see Mironov, "On Significance of the Least Significant Bits for Differential Privacy", CCS 2012
 * @throws `aggregate/strategy-invalid`
 */
export function dpFedAvg({ randomBytes, ...settings }: DpFedAvgInit): Strategy {
  const read = readSettings("dp-fed-avg", dpFedAvgRules, settings);
  const { clipNorm, noiseMultiplier, expectedContributors } = read;
  const deviation = (noiseMultiplier * clipNorm) / expectedContributors;
  return Object.freeze({
    name: "dp-fed-avg",
    settings: shownSettings(read),
    needs: { norms: true },
    combine: { kind: "mean", divisor: expectedContributors },
    combines: ({ dtype }) => isFloatDtype(dtype),
    weigh: ({ contributors }) =>
      contributors.map((contributor) => ({
        factor: roundedFactor(Math.min(1, (clipNorm * shave) / neededNorm(contributor))),
        weight: 1,
      })),
    step: {
      stateNames: [],
      appliesTo: () => true,
      apply({ change }: StepBlock) {
        addGaussianNoise(change, { deviation, randomBytes });
      },
    },
  } as const satisfies Strategy);
}

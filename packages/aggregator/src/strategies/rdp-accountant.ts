import { sampledGaussianMoment } from "./sampled-gaussian-moment.js";
import { numberRule, readSettings } from "./setting-rules.js";

export interface SampledGaussian {
  /** Probability q with which each contributor takes part in a round, on its own: 0 to 1; 1 where all take part in all rounds. */
  readonly samplingRate: number;
  /** Standard deviation of the noise on the sum, σ, in units of what one contributor can change it by; 0.001 to 1e6. */
  readonly noiseMultiplier: number;
  /** Rounds, a whole number, 0 to 1e9. */
  readonly steps: number;
}

export interface RdpInit extends SampledGaussian {
  /** Orders α, each 1.001 to 1e6. @default defaultOrders */
  readonly orders?: readonly number[];
}

export interface EpsilonInit {
  /** One for each order; of several mechanisms on the same data, the sums. */
  readonly rdp: readonly number[];
  readonly orders: readonly number[];
  /** Probability δ with which the bound may fail; above 0 and below 1. Far less than one over the number of contributors. */
  readonly delta: number;
}

/** Orders that reach from loose guarantees to strict ones. */
export const defaultOrders: readonly number[] = Object.freeze([
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  ...[72, 80, 96, 128, 192, 256, 384, 512, 1024],
]);

/** Below this, sampling takes next to nothing off an ε in the hundreds, and the integral would take long. */
const leastSampledNoise = 0.1;

const mechanismRules = {
  samplingRate: numberRule({ atLeast: 0, atMost: 1 }),
  noiseMultiplier: numberRule({ atLeast: 0.001, atMost: 1e6 }),
  steps: numberRule({ atLeast: 0, atMost: 1e9, isWhole: true }),
};
const orderRule = { order: numberRule({ atLeast: 1.001, atMost: 1e6 }) };
const deltaRule = { delta: numberRule({ above: 0, below: 1 }) };

/**
 * Rényi differential privacy of `steps` rounds of the Gaussian mechanism on a Poisson sample, for each order α:
 *
 *     steps · log A(α) / (α - 1)        A(α) = E[((1 - q) + q exp((2z - 1) / 2σ²))^α], z ~ N(0, σ²)
 *
 * which is steps · α / 2σ² for q = 1. Neighbours differ by one contributor that is there or not. For σ below 0.1 the rate is
 * taken as 1, which is an upper bound.
 *
 * @see Mironov, Talwar, Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism", arXiv:1908.10530, 2019,
 *   section 3
 * @throws `aggregate/strategy-invalid`
 */
export function rdpOfSampledGaussian({ orders = defaultOrders, ...mechanism }: RdpInit): readonly number[] {
  const { samplingRate, noiseMultiplier, steps } = readSettings("the accountant", mechanismRules, mechanism);
  const isSampled = samplingRate < 1 && noiseMultiplier >= leastSampledNoise;
  return orders.map((given) => {
    const { order } = readSettings("the accountant", orderRule, { order: given });
    if (samplingRate === 0 || steps === 0) return 0;
    if (!isSampled) return (steps * order) / (2 * noiseMultiplier ** 2);
    return (steps * sampledGaussianMoment(samplingRate, noiseMultiplier, order)) / (order - 1);
  });
}

/**
 * The ε of (ε, δ)-differential privacy that Rényi differential privacy comes to: the least over all orders of
 *
 *     rdp(α) + log((α - 1) / α) - (log δ + log α) / (α - 1)
 *
 * and at least 0; infinite where there is no order.
 *
 * @see Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, proposition 12
 * @see Balle, Barthe, Gaboardi, Hsu, Sato, "Hypothesis Testing Interpretations and Rényi Differential Privacy", AISTATS 2020,
 *   theorem 21
 * @throws `aggregate/strategy-invalid`
 */
export function epsilonOf({ rdp, orders, delta }: EpsilonInit): number {
  readSettings("the accountant", deltaRule, { delta });
  const bounds = orders.map((order, i) => {
    const spent = rdp[i] ?? Infinity;
    return spent + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
  });
  return Math.max(0, Math.min(...bounds));
}

/** The ε of `steps` rounds at a given δ: `rdpOfSampledGaussian`, then `epsilonOf`. @throws `aggregate/strategy-invalid` */
export function epsilonFor({ delta, ...mechanism }: SampledGaussian & { readonly delta: number }): number {
  return epsilonOf({ rdp: rdpOfSampledGaussian(mechanism), orders: defaultOrders, delta });
}

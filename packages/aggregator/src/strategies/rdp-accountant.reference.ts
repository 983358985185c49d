import { logErfc } from "./complementary-error.reference.js";

/**
 * log A(α) by the two series of the paper for α that is not whole (section 3.3), which begin at either end and alternate in sign
 * from the term after α; all terms down to 1e-18 of the first.
 */
export function momentBySeries(q: number, sigma: number, order: number): number {
  const edge = sigma * sigma * Math.log(1 / q - 1) + 0.5;
  let sum = 0;
  let sign = 1;
  let logBinomial = 0;
  for (let i = 0; i < 2_000_000; i++) {
    const j = order - i;
    const half = (k: number, x: number): number => (k * k - k) / (2 * sigma * sigma) + Math.log(0.5) + logErfc(x / (Math.SQRT2 * sigma));
    const below = logBinomial + i * Math.log(q) + j * Math.log1p(-q) + half(i, i - edge);
    const above = logBinomial + j * Math.log(q) + i * Math.log1p(-q) + half(j, edge - j);
    sum += sign * (Math.exp(below) + Math.exp(above));
    if (Math.max(below, above) < -40) break;
    if (j < 0) sign = -sign;
    logBinomial += Math.log(Math.abs(j)) - Math.log(i + 1);
  }
  return Math.log(sum);
}

/** log A(α) by Simpson's rule on the definition, with many more points than it takes. */
export function momentByIntegral(q: number, sigma: number, order: number): number {
  const from = -14 * sigma;
  const to = order + 14 * sigma;
  const pieces = 200_000;
  const step = (to - from) / pieces;
  let sum = 0;
  for (let i = 0; i <= pieces; i++) {
    const z = from + i * step;
    const ratio = 1 - q + q * Math.exp((2 * z - 1) / (2 * sigma * sigma));
    const density = Math.exp((-z * z) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
    const weight = i === 0 || i === pieces ? 1 : i % 2 === 1 ? 4 : 2;
    sum += (weight * density * ratio ** order * step) / 3;
  }
  return Math.log(sum);
}

/** The conversion to (ε, δ) of Mironov's first paper, proposition 3, which older software uses: rdp + log(1/δ) / (α - 1). */
export function olderEpsilon(rdp: readonly number[], orders: readonly number[], delta: number): number {
  return Math.min(...orders.map((order, i) => (rdp[i] ?? Number.NaN) + Math.log(1 / delta) / (order - 1)));
}

/**
 * The exact δ of one Gaussian mechanism at ε: Φ(1/2σ - εσ) - e^ε Φ(-1/2σ - εσ).
 *
 * @see Balle, Wang, "Improving the Gaussian Mechanism for Differential Privacy", ICML 2018, theorem 8
 */
export function exactGaussianDelta(sigma: number, epsilon: number): number {
  const logPhi = (x: number): number => logErfc(-x / Math.SQRT2) - Math.LN2;
  return Math.exp(logPhi(1 / (2 * sigma) - epsilon * sigma)) - Math.exp(epsilon + logPhi(-1 / (2 * sigma) - epsilon * sigma));
}

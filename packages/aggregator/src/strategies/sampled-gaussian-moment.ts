/**
 * log A(α) of the sampled Gaussian mechanism, A(α) = E[L^α] with L = (1 - q) + q exp((2z - 1) / 2σ²) and z ~ N(0, σ²).
 *
 * As E[L] = 1, what is computed is A - 1 = E[L^α - 1 - α (L - 1)], in which nothing is negative: a sum of them keeps its digits
 * where A is next to 1, and its logarithm does not overflow where A is huge. For whole α that is the binomial sum of the paper;
 * for the others the integral, by the trapezoidal rule, which the paper expands into a series of mixed signs.
 *
 * @param samplingRate - q, above 0 and below 1
 * @param noiseMultiplier - σ, at least 0.1
 * @param order - α, above 1
 * @see Mironov, Talwar, Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism", arXiv:1908.10530, 2019,
 *   section 3.3
 */
export function sampledGaussianMoment(samplingRate: number, noiseMultiplier: number, order: number): number {
  const logExcess = Number.isInteger(order)
    ? binomialSum(samplingRate, noiseMultiplier, order)
    : trapezoidalSum(samplingRate, noiseMultiplier, order);
  return logExcess > 700 ? logExcess : Math.log1p(Math.exp(logExcess));
}

/** log Σ_k C(α, k) (1 - q)^(α - k) q^k (exp((k² - k) / 2σ²) - 1), of which the terms 0 and 1 are zero. */
function binomialSum(q: number, sigma: number, order: number): number {
  const terms: number[] = [];
  let logBinomial = 0;
  for (let k = 1; k <= order; k++) {
    logBinomial += Math.log((order - k + 1) / k);
    if (k === 1) continue;
    const exponent = (k * k - k) / (2 * sigma * sigma);
    terms.push(logBinomial + (order - k) * Math.log1p(-q) + k * Math.log(q) + logExpm1(exponent));
  }
  return logSum(terms);
}

/** The logarithm of the integral of the density of z times the excess. */
function trapezoidalSum(q: number, sigma: number, order: number): number {
  // The rule's error falls with exp(-2π · w / step), where w is the width of the strip without a singularity: L is zero at πσ²
  // from the real line. Half of σ² makes that exp(-39), and a quarter of σ is enough for the Gaussian itself.
  const step = Math.min(sigma / 4, (sigma * sigma) / 2);
  // L^α pulls the mass from 0 towards α; 12 deviations beyond either end there is nothing that counts.
  const first = -12 * sigma;
  const count = Math.ceil((order + 24 * sigma) / step);
  const terms = Array.from({ length: count + 1 }, (_, i) => {
    const z = first + i * step;
    return logExcessOf((2 * z - 1) / (2 * sigma * sigma), q, order) - (z * z) / (2 * sigma * sigma);
  });
  return logSum(terms) + Math.log(step / sigma) - Math.log(2 * Math.PI) / 2;
}

/** log(L^α - 1 - α (L - 1)), where L = 1 + q (e^x - 1). */
function logExcessOf(x: number, q: number, order: number): number {
  const u = q * Math.expm1(x);
  if (Math.abs(order * u) < 1e-3) {
    // The first terms of the binomial series: the difference of nearly equal numbers would keep few digits.
    const [second, third, fourth] = [order - 2, order - 3, order - 4] as const;
    return Math.log(((order * (order - 1)) / 2) * u * u * (1 + ((second * u) / 3) * (1 + ((third * u) / 4) * (1 + (fourth * u) / 5))));
  }
  if (u < 1) return Math.log(Math.expm1(order * Math.log1p(u)) - order * u);
  // For u above 1, where e^x may be beyond float64.
  const logU = Math.log(q) + x + Math.log1p(-Math.exp(-x));
  const logPower = order * (logU + Math.log1p(Math.exp(-logU)));
  return logPower + Math.log1p(-Math.exp(Math.log(order) + logU + Math.log1p(Math.exp(-logU) / order) - logPower));
}

function logExpm1(x: number): number {
  return x > 700 ? x : Math.log(Math.expm1(x));
}

function logSum(logs: readonly number[]): number {
  const largest = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}

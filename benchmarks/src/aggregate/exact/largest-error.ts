import { type ExactRule, errorOf } from "./exact-value.ts";

/** How far results are from exact arithmetic on the same inputs. */
export interface LargestError {
  /** The largest difference. */
  readonly absolute: number;
  /** The largest difference in shares of the mean magnitude of the values that went in, Σ weight × |value| / Σ weight. */
  readonly relative: number;
  /** On how many elements. */
  readonly elements: number;
}

/**
 * Compares results with the exact ones.
 *
 * @param inputs - values of each update, for the same elements as the results
 */
export function largestError(
  results: readonly number[],
  inputs: readonly (readonly number[])[],
  weights: readonly number[],
  rule: ExactRule,
): LargestError {
  let absolute = 0;
  let relative = 0;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [element, result] of results.entries()) {
    const values = inputs.map((input) => input[element] ?? Number.NaN);
    const error = errorOf(result, rule(values, weights));
    const magnitude = values.reduce((sum, value, i) => sum + (weights[i] ?? 0) * Math.abs(value), 0) / total;
    absolute = Math.max(absolute, error);
    if (magnitude > 0) relative = Math.max(relative, error / magnitude);
  }
  return { absolute, relative, elements: results.length };
}

import { medianOf } from "../strategies/median.js";
import type { Combine, Share } from "../strategies/strategy.js";
import { trimmedCount, trimmedMeanOf } from "../strategies/trimmed-mean.js";
import type { Dtype } from "../tensor.js";

/**
 * Combines the values that contributors have for the same elements, other than by a mean of shares.
 *
 * @param values - one array for each contributor, in the order of their names
 * @param shares - of the same contributors
 * @param dtype - of the model; medians and trimmed means are rounded to float32 for the types of at most 32 bits
 */
export function combineValues(
  combine: Combine,
  values: readonly Float64Array[],
  shares: readonly Share[],
  dtype: Dtype,
  into: Float64Array,
): void {
  if (combine.kind === "custom") {
    combine.combine(values, shares, into);
    return;
  }
  if (combine.kind === "mean") throw new TypeError("means are made by sums");
  const target = dtype === "F64" ? into : new Float32Array(into.length);
  if (combine.kind === "median") medianOf(values, target);
  else trimmedMeanOf(values, trimmedCount(combine.fraction, values.length), target);
  if (target !== into) into.set(target);
}

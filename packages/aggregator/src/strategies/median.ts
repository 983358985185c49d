import { type Columns, sortColumn } from "./sort-column.js";
import type { Strategy } from "./strategy.js";

/**
 * The coordinate-wise median: of each element, the middle of the contributors' values, or the mean of the two in the middle.
 * Fewer than half of the contributors, whatever they send, cannot move an element beyond the values of the others. Weights do
 * not count.
 *
 * Takes FULL and DIFF; FULL needs no base. Every engine gives the bits of `medianOf`. Costs one pass over all updates at once.
 *
 * @see Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018,
 *   definition 1
 */
export function coordinateMedian(): Strategy {
  return Object.freeze({ name: "median", settings: Object.freeze({}), needs: {}, combine: { kind: "median" } } as const);
}

/**
 * The median of each element, by the rule that every engine follows to the bit:
 *
 * - of an even number of values, a and b in the middle: (a + b) / 2 in float64, or a / 2 + b / 2 where the sum overflows, and
 *   one rounding to the type of `into`. For float32 that is the exact mean, rounded once. Whoever has float32 alone gets
 *   the same bits from (a + b) · 0.5, and from a · 0.5 + b · 0.5 where that sum overflows;
 * - a median that is, or rounds to, zero is +0.
 *
 * @param values - finite; one array for each contributor, at least one, as long as `into`
 */
export function medianOf(values: Columns, into: Float64Array | Float32Array): void {
  const column = new Float64Array(values.length);
  const low = (values.length - 1) >> 1;
  const high = values.length >> 1;
  for (let i = 0; i < into.length; i++) {
    sortColumn(values, i, column);
    const a = column[low] as number;
    const b = column[high] as number;
    const sum = a + b;
    into[i] = Math.abs(sum) === Infinity ? a / 2 + b / 2 : sum / 2;
    // -0 === 0, and what is below half of the smallest number becomes -0 as it is stored.
    if (into[i] === 0) into[i] = 0;
  }
}

import { numberRule, readSettings, shownSettings } from "./setting-rules.js";
import { type Columns, sortColumn } from "./sort-column.js";
import type { Strategy } from "./strategy.js";

export interface TrimmedMeanSettings {
  /** Share β of the values that is cut off at each end, at least 0 and below 0.5. */
  readonly fraction: number;
}

export const trimmedMeanRules = { fraction: numberRule({ atLeast: 0, below: 0.5 }) };

/**
 * The coordinate-wise trimmed mean: of each element, the mean of the contributors' values without the ⌊βn⌋ smallest and the
 * ⌊βn⌋ largest. Up to ⌊βn⌋ contributors, whatever they send, cannot move an element beyond the values of the others. Weights do
 * not count. Of fewer than 1/β values nothing is cut off.
 *
 * Takes FULL and DIFF; FULL needs no base. Every engine gives the bits of `trimmedMeanOf`. Costs one pass over all updates at
 * once.
 *
 * @see Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018,
 *   definition 2
 * @throws `aggregate/strategy-invalid`
 */
export function trimmedMean(settings: TrimmedMeanSettings): Strategy {
  const read = readSettings("trimmed-mean", trimmedMeanRules, settings);
  return Object.freeze({
    name: "trimmed-mean",
    settings: shownSettings(read),
    needs: {},
    combine: { kind: "trimmed-mean", fraction: read.fraction },
  } as const);
}

/**
 * How many of `count` values are cut off at each end: `fraction` of them, rounded down, where a product that misses a whole
 * number by its rounding counts as that number, so that 0.29 of 100 is 29. At least one value is left.
 */
export function trimmedCount(fraction: number, count: number): number {
  return Math.min(Math.floor(fraction * count + 2 ** -30), (count - 1) >> 1);
}

/**
 * The trimmed mean of each element, by the rule that every engine follows to the bit: the values that are left are added in
 * float64 in ascending order, so that the order of contributors does not count, divided by their number in float64, and rounded
 * once to the type of `into`. A mean that is, or rounds to, zero is +0.
 *
 * @param values - finite; one array for each contributor, as long as `into`
 * @param cut - values cut off at each end, of which at least one is left; see `trimmedCount`
 */
export function trimmedMeanOf(values: Columns, cut: number, into: Float64Array | Float32Array): void {
  const column = new Float64Array(values.length);
  const end = values.length - cut;
  for (let i = 0; i < into.length; i++) {
    sortColumn(values, i, column);
    let sum = 0;
    for (let j = cut; j < end; j++) sum += column[j] as number;
    into[i] = sum / (end - cut);
    // -0 === 0, and what is below half of the smallest number becomes -0 as it is stored.
    if (into[i] === 0) into[i] = 0;
  }
}

/** A rational number of units of 2^-1074, the smallest that a float64 can tell apart: so every float64 is a whole number of them. */
export interface ExactValue {
  readonly over: bigint;
  /** Above 0. */
  readonly under: bigint;
}

/** What a rule makes of the values of one element, without any rounding. */
export type ExactRule = (values: readonly number[], weights: readonly number[]) => ExactValue;

/** The mean weighted by whole numbers. */
export const exactMean: ExactRule = (values, weights) => ({
  over: values.reduce((sum, value, i) => sum + BigInt(weights[i] ?? 0) * unitsOf(value), 0n),
  under: weights.reduce((sum, weight) => sum + BigInt(weight), 0n),
});

/** The middle value, or the mean of the two in the middle. */
export const exactMedian: ExactRule = (values) => exactTrimmedMean(Math.floor((values.length - 1) / 2))(values, []);

/** The middle value, of an even number of them the lower one in the middle. */
export const exactLowerMedian: ExactRule = (values) => ({
  over: unitsOf(values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN),
  under: 1n,
});

/** The mean without the `cut` smallest and the `cut` largest values. */
export function exactTrimmedMean(cut: number): ExactRule {
  return (values) => {
    const kept = values.toSorted((a, b) => a - b).slice(cut, values.length - cut);
    return { over: kept.reduce((sum, value) => sum + unitsOf(value), 0n), under: BigInt(kept.length) };
  };
}

/** How far a float64 is from the exact value. */
export function errorOf(value: number, exact: ExactValue): number {
  const difference = unitsOf(value) * exact.under - exact.over;
  return quotient(difference < 0n ? -difference : difference, exact.under);
}

/** A finite float64 as a whole number of units. */
export function unitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 2047n;
  const fraction = bits & (2n ** 52n - 1n);
  const magnitude = exponent === 0n ? fraction : (fraction | (2n ** 52n)) << (exponent - 1n);
  return bits >> 63n === 0n ? magnitude : -magnitude;
}

/** A quotient of units as a float64, good to more digits than anybody reads. */
function quotient(over: bigint, under: bigint): number {
  const fractionBits = 64;
  const whole = (over << BigInt(fractionBits)) / under;
  const excess = Math.max(0, whole.toString(2).length - 64);
  // In two steps: the power of two by itself may be below the smallest float64.
  const power = excess - fractionBits - 1074;
  const half = Math.trunc(power / 2);
  return Number(whole >> BigInt(excess)) * 2 ** half * 2 ** (power - half);
}

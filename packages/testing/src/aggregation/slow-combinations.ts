import { runElements, type Tile } from "@flare-ts/aggregator";

/** What a device should have given, by the plainest means: float64, sorting and whole numbers without end. */
export interface SlowSums {
  readonly sums: Float64Array;
  /** Σ |terms| of each element, in which bounds on errors are written. */
  readonly magnitudes: Float64Array;
}

/** Σ factor × value, with factors rounded to float32. */
export function slowWeightedSum(tile: Tile, factors: readonly number[]): SlowSums {
  return sumsOf(elementsOf(tile).map((values) => values.map((value, update) => Math.fround(factors[update] ?? 0) * value)));
}

/** Σ round(factor × value × 2^gridBits) modulo 2^64. */
export function slowExactSum(tile: Tile, factors: readonly number[], gridBits: Int32Array): BigInt64Array {
  const sums = elementsOf(tile).map((values, element) => {
    const terms = values.map((value, update) => slowTerm(factors[update] ?? 0, value, gridBits[Math.floor(element / runElements)] ?? 0));
    return BigInt.asIntN(
      64,
      terms.reduce((sum, term) => sum + term, 0n),
    );
  });
  return BigInt64Array.from(sums);
}

/** The value in the middle, or the mean of the two there, rounded once to float32. */
export function slowMedian(tile: Tile): Float64Array {
  const medians = elementsOf(tile).map((values) => {
    const sorted = values.toSorted((a, b) => a - b);
    const upper = sorted[sorted.length >> 1] ?? 0;
    const lower = sorted[(sorted.length - 1) >> 1] ?? 0;
    return Math.fround((lower + upper) / 2);
  });
  return Float64Array.from(medians);
}

/** The mean of what is left without the `cut` smallest and the `cut` largest. */
export function slowTrimmedMean(tile: Tile, cut: number): SlowSums {
  const kept = elementsOf(tile).map((values) => values.toSorted((a, b) => a - b).slice(cut, values.length - cut));
  return sumsOf(kept.map((values) => values.map((value) => value / values.length)));
}

/** Σ (value - value)² of all pairs. */
export function slowSquaredDistances({ values }: Tile): Float64Array {
  const distances = values.flatMap((a) => values.map((b) => a.reduce((sum, value, element) => sum + (value - (b[element] ?? 0)) ** 2, 0)));
  return Float64Array.from(distances);
}

/** round(factor × value × 2^gridBits), to nearest, ties to even. */
function slowTerm(factor: number, value: number, gridBits: number): bigint {
  const [a, b] = [wholeOf(factor), wholeOf(value)];
  const product = a.whole * b.whole;
  const shift = a.exponent + b.exponent + gridBits;
  if (shift >= 0) return product << BigInt(shift);
  const floor = product >> BigInt(-shift);
  const twiceRest = (product - (floor << BigInt(-shift))) * 2n;
  const unit = 1n << BigInt(-shift);
  return twiceRest > unit || (twiceRest === unit && (floor & 1n) === 1n) ? floor + 1n : floor;
}

/** The number as whole × 2^exponent. */
function wholeOf(value: number): { readonly whole: bigint; readonly exponent: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const exponent = (bits.getUint16(0) >> 4) & 0x7ff;
  const fraction = bits.getBigUint64(0) & (2n ** 52n - 1n);
  const whole = exponent === 0 ? fraction : fraction + 2n ** 52n;
  return { whole: value < 0 ? -whole : whole, exponent: Math.max(1, exponent) - 1075 };
}

function elementsOf({ values }: Tile): number[][] {
  return Array.from({ length: values[0]?.length ?? 0 }, (_, element) => values.map((each) => each[element] ?? Number.NaN));
}

function sumsOf(terms: readonly (readonly number[])[]): SlowSums {
  return {
    sums: Float64Array.from(terms, (each) => each.reduce((sum, term) => sum + term, 0)),
    magnitudes: Float64Array.from(terms, (each) => each.reduce((sum, term) => sum + Math.abs(term), 0)),
  };
}

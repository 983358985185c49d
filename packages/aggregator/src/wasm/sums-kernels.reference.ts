import { gridFor } from "../exact/exact-scale.js";

/** Terms of sums: values[i][k] times weights[i], for element k of update i. */
export interface SumTerms {
  readonly values: readonly ArrayLike<number>[];
  readonly weights: readonly number[];
}

/** Float32 sums: one rounding for each product and each sum, in the order of the updates, after what the sums hold already. */
export function singleSums({ values, weights }: SumTerms, count: number, before: ArrayLike<number> | undefined): readonly number[] {
  return eachSum(count, (k) => [
    ...(before === undefined ? [] : [before[k] ?? 0]),
    ...values.map((of, i) => Math.fround((of[k] ?? 0) * Math.fround(weights[i] ?? 0))),
  ]).map((terms) => terms.reduce((sum, term) => Math.fround(sum + term)));
}

/**
 * Terms of int8 elements as float32: the product of weight and scale is rounded first, where that can be rounded like a normal number.
 *
 * @param scales - that of each element
 */
export function int8Terms(elements: ArrayLike<number>, scales: ArrayLike<number>, weight: number): readonly number[] {
  return Array.from(elements, (element, k) => {
    const scale = scales[k] ?? 0;
    const product = Math.fround(Math.fround(weight) * scale);
    const isFactor = scale === 0 || (Math.abs(product) >= 2 ** -100 && Math.abs(product) < Number.POSITIVE_INFINITY);
    return isFactor ? Math.fround(element * product) : Math.fround(Math.fround(element * scale) * Math.fround(weight));
  });
}

/** `singleSums` in float64. */
export function doubleSums({ values, weights }: SumTerms, count: number, before: ArrayLike<number> | undefined): readonly number[] {
  return eachSum(count, (k) => [
    ...(before === undefined ? [] : [before[k] ?? 0]),
    ...values.map((of, i) => (of[k] ?? 0) * (weights[i] ?? 0)),
  ]).map((terms) => terms.reduce((sum, term) => sum + term));
}

/** Sums of bits(weight * value + magic), modulo 2^64, after what the sums hold already. */
export function exactSums(terms: SumTerms, count: number, before: ArrayLike<bigint> | undefined, gridBits: number): readonly bigint[] {
  const magic = magicOf(gridBits);
  return Array.from({ length: count }, (_, k) =>
    BigInt.asIntN(
      64,
      terms.values.reduce((sum, of, i) => sum + bitsOf((of[k] ?? 0) * (terms.weights[i] ?? 0) + magic), before?.[k] ?? 0n),
    ),
  );
}

/** Means of exact sums, rounded to float64 by the conversion and by the division. */
export function exactMeans(sums: readonly bigint[], n: number, gridBits: number, total: number): readonly number[] {
  const bias = BigInt(n) * bitsOf(magicOf(gridBits));
  return sums.map((sum) => Number(BigInt.asIntN(64, sum - bias)) / (total * 2 ** gridBits));
}

/** The grid of updates with these largest magnitudes. */
export function gridBitsOf(maxAbs: readonly number[], weights: readonly number[]): number {
  return gridFor(Math.max(0, ...maxAbs.map((largest, i) => largest * (weights[i] ?? 0))));
}

export function magicOf(gridBits: number): number {
  return 1.5 * 2 ** (52 - gridBits);
}

/** Terms of each sum, with at least one. */
function eachSum(count: number, termsOf: (k: number) => readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, k) => {
    const terms = termsOf(k);
    return terms.length === 0 ? [0] : terms;
  });
}

function bitsOf(value: number): bigint {
  return new BigInt64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}

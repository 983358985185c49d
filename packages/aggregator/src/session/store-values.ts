import type { IntegerData } from "../exact/integer-means.js";
import { encodeBf16, encodeF16 } from "../half-floats.js";
import { type Dtype, viewOf } from "../tensor.js";

/** What is below in magnitude rounds to a finite value of the type. */
export const roundsToFinite: Readonly<Partial<Record<Dtype, number>>> = {
  F16: 65_520,
  BF16: (2 - 2 ** -8) * 2 ** 127,
  F32: (2 - 2 ** -24) * 2 ** 127,
  F64: Number.POSITIVE_INFINITY,
};

const integerRange: Readonly<Partial<Record<Dtype, readonly [bigint, bigint]>>> = {
  I64: [-(2n ** 63n), 2n ** 63n - 1n],
  I32: [-(2n ** 31n), 2n ** 31n - 1n],
  I16: [-(2n ** 15n), 2n ** 15n - 1n],
  I8: [-128n, 127n],
  U8: [0n, 255n],
  BOOL: [0n, 1n],
};

/** Rounds values to a floating type, to nearest, ties to even. Gives the index of a value that the type cannot hold, or -1. */
export function storeFloats(dtype: Dtype, values: Float64Array, into: ArrayBuffer): number {
  const limit = roundsToFinite[dtype] ?? 0;
  const { length } = values;
  for (let i = 0; i < length; i++) if (!(Math.abs(values[i] as number) < limit)) return i;
  const target = viewOf(dtype, into, 0, length);
  if (target instanceof Uint16Array) (dtype === "F16" ? encodeF16 : encodeBf16)(values, target);
  else if (target instanceof Float32Array || target instanceof Float64Array) target.set(values);
  return -1;
}

/**
 * Writes integers, each added to the base where there is one. Gives the index of one beyond the type, or -1.
 *
 * @param valueAt - the integer at an index
 */
export function storeIntegers(
  dtype: Dtype,
  valueAt: (index: number) => bigint,
  base: IntegerData | undefined,
  count: number,
  into: ArrayBuffer,
): number {
  const [least, most] = integerRange[dtype] ?? [0n, 0n];
  const target = viewOf(dtype, into, 0, count);
  for (let i = 0; i < count; i++) {
    const value = valueAt(i) + (base === undefined ? 0n : BigInt(base[i] as number | bigint));
    if (value < least || value > most) return i;
    if (target instanceof BigInt64Array) target[i] = value;
    else target[i] = Number(value);
  }
  return -1;
}

import { type Dtype, dtypeBytes, encodeSafetensors, type Tensor } from "@flare-ts/aggregator";

/** Tensors of one dimension for tests; the 16-bit types take raw bits. */
export const f32 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(values),
});
export const f64 = (values: readonly number[]): Tensor => ({ dtype: "F64", shape: [values.length], data: Float64Array.from(values) });
export const f16 = (bits: readonly number[]): Tensor => ({ dtype: "F16", shape: [bits.length], data: Uint16Array.from(bits) });
export const bf16 = (bits: readonly number[]): Tensor => ({ dtype: "BF16", shape: [bits.length], data: Uint16Array.from(bits) });
export const i64 = (values: readonly bigint[]): Tensor => ({ dtype: "I64", shape: [values.length], data: BigInt64Array.from(values) });
export const bool = (values: readonly number[]): Tensor => ({ dtype: "BOOL", shape: [values.length], data: Uint8Array.from(values) });

/** A safetensors file of these tensors. */
export function fileOf(tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  return encodeSafetensors(Object.entries(tensors));
}

/** The elements of a tensor as they are stored, as numbers. */
export function numbersOf(tensors: ReadonlyMap<string, Tensor>, name: string): number[] {
  return Array.from(tensors.get(name)?.data ?? [], Number);
}

/** One tensor of each element type, named after it, with one element: 0, 2, 4 or, as BOOL, the flag. */
export function allDtypes(value: 0 | 2 | 4, flag: 0 | 1): Uint8Array {
  const f16Bits = { 0: 0, 2: 0x4000, 4: 0x4400 }[value];
  const bf16Bits = { 0: 0, 2: 0x4000, 4: 0x4080 }[value];
  const one = (dtype: Dtype): Tensor["data"] => {
    const each: Readonly<Record<Dtype, Tensor["data"]>> = {
      F64: Float64Array.of(value),
      F32: Float32Array.of(value),
      F16: Uint16Array.of(f16Bits),
      BF16: Uint16Array.of(bf16Bits),
      I64: BigInt64Array.of(BigInt(value)),
      I32: Int32Array.of(value),
      I16: Int16Array.of(value),
      I8: Int8Array.of(value),
      U8: Uint8Array.of(value),
      BOOL: Uint8Array.of(flag),
    };
    return each[dtype];
  };
  return encodeSafetensors((Object.keys(dtypeBytes) as Dtype[]).map((dtype) => [dtype, { dtype, shape: [1], data: one(dtype) }]));
}

/** A model of 160 tensors of uneven length whose values follow from the seed. */
export function longModel(seed: number): Uint8Array {
  const tensors = Array.from({ length: 160 }, (_, t): [string, Tensor] => {
    const values = Array.from({ length: (t * 7) % 23 }, (__, i) => Math.sin(1 + seed * 1.7 + t * 0.3 + i) * 10 ** ((t % 9) - 4));
    return [`layer.${t}.weight`, f32(values)];
  });
  return encodeSafetensors(tensors);
}

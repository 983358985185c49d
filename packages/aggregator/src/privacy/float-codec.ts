import { decodeBf16, decodeF16, encodeBf16, encodeF16 } from "../half-floats.js";
import type { Dtype } from "../tensor.js";

/** Values of a floating type, exactly. The bytes begin at a multiple of an element's size. */
export function decodeFloats(dtype: Dtype, { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Float64Array {
  if (dtype === "F64") return new Float64Array(buffer, byteOffset, byteLength / 8);
  if (dtype === "F32") return Float64Array.from(new Float32Array(buffer, byteOffset, byteLength / 4));
  const bits = new Uint16Array(buffer, byteOffset, byteLength / 2);
  const values = new Float32Array(bits.length);
  (dtype === "F16" ? decodeF16 : decodeBf16)(bits, values);
  return Float64Array.from(values);
}

/** Bytes of a floating type, each value rounded once, to nearest, ties to even; beyond the type's range it is infinite. */
export function encodeFloats(dtype: Dtype, values: Float64Array): Uint8Array {
  if (dtype === "F64") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === "F32") return new Uint8Array(Float32Array.from(values).buffer);
  const bits = new Uint16Array(values.length);
  (dtype === "F16" ? encodeF16 : encodeBf16)(values, bits);
  return new Uint8Array(bits.buffer);
}

/** The smallest magnitude that a floating type has no finite value for: half a step beyond its largest. */
export function roundsToInfinity(dtype: Dtype): number {
  if (dtype === "F64") return Number.POSITIVE_INFINITY;
  if (dtype === "F32") return (2 - 2 ** -24) * 2 ** 127;
  return dtype === "F16" ? 65_520 : (2 - 2 ** -8) * 2 ** 127;
}

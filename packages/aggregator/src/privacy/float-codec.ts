import { chunkBytes } from "../compression/chunk-reader.js";
import { decodeBf16, decodeF16, encodeBf16, encodeF16 } from "../half-floats.js";
import type { Dtype } from "../tensor.js";

/** Memory for a chunk at a time: chunk after chunk in memory of its own would be a hundred MiB before any of it is given back. */
export class ChunkSpace {
  /** What is read. */
  readonly bytes = new Uint8Array(chunkBytes);
  readonly #values = new Float64Array(chunkBytes / 4);
  readonly #floats = new Float32Array(chunkBytes / 4);

  values(length: number): Float64Array<ArrayBuffer> {
    return this.#values.subarray(0, length);
  }

  floats(length: number): Float32Array<ArrayBuffer> {
    return this.#floats.subarray(0, length);
  }
}

/** Values of a floating type, exactly, until the next chunk is read. The bytes begin at a multiple of an element's size. */
export function decodeFloats(
  dtype: Dtype,
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
  space: ChunkSpace,
): Float64Array<ArrayBuffer> {
  if (dtype === "F64") return new Float64Array(buffer, byteOffset, byteLength / 8);
  if (dtype === "F32") {
    const exact = space.values(byteLength / 4);
    exact.set(new Float32Array(buffer, byteOffset, byteLength / 4));
    return exact;
  }
  const bits = new Uint16Array(buffer, byteOffset, byteLength / 2);
  const values = new Float32Array(bits.length);
  (dtype === "F16" ? decodeF16 : decodeBf16)(bits, values);
  return Float64Array.from(values);
}

/** Bytes of a floating type, until the next chunk: each value rounded once, to nearest, ties to even; beyond the type's range it is infinite. */
export function encodeFloats(dtype: Dtype, values: Float64Array, space: ChunkSpace): Uint8Array {
  if (dtype === "F64") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === "F32") {
    const floats = space.floats(values.length);
    floats.set(values);
    return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  }
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

/** Element types that models and updates may have; the names are those of the safetensors format. */
export type Dtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** The typed arrays that hold tensors; F16 and BF16 are raw bits in a `Uint16Array`, BOOL is 0 or 1 in a `Uint8Array`. */
export type TensorData = Float64Array | Float32Array | Uint16Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** A tensor in memory: elements in row-major order. */
export interface Tensor {
  readonly dtype: Dtype;
  /** Sizes of the dimensions; empty for a scalar. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Bytes of one element of each type. */
export const dtypeBytes: Readonly<Record<Dtype, number>> = Object.freeze({
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
});

/** The typed array that holds elements of each type. */
const arrayOf: Readonly<Record<Dtype, new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TensorData>> = Object.freeze({
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
});

/** Whether a text names an element type that is supported. */
export function isDtype(text: string): text is Dtype {
  return Object.hasOwn(dtypeBytes, text);
}

/** Whether tensors of this type are averaged as real numbers; the others are averaged as integers and rounded. */
export function isFloatDtype(dtype: Dtype): boolean {
  return dtype === "F64" || dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/** Number of elements of a shape; `undefined` where it is beyond 2^53 - 1 or a dimension is not a whole number of at least 0. */
export function elementsOf(shape: readonly number[]): number | undefined {
  // An empty dimension makes the product 0 whatever the others say, so it is looked for before anything can overflow.
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  if (shape.includes(0)) return 0;
  let product = 1;
  for (const size of shape) {
    product *= size;
    if (!Number.isSafeInteger(product)) return undefined;
  }
  return product;
}

/** A view of little-endian bytes as elements; the bytes must start at a multiple of the element's size. */
export function viewOf(dtype: Dtype, buffer: ArrayBufferLike, byteOffset: number, count: number): TensorData {
  return new arrayOf[dtype](buffer, byteOffset, count);
}

import { type Dtype, dtypeBytes, type TensorSpec } from "@flare-ts/aggregator";

/** Element types of updates by the names that people use. */
export const floatDtypes = { float32: "F32", bfloat16: "BF16", float16: "F16" } as const satisfies Record<string, Dtype>;

/** An element type of updates, as people call it. */
export type FloatDtype = keyof typeof floatDtypes;

/** All names of `floatDtypes`. */
export const floatDtypeNames: readonly FloatDtype[] = ["float32", "bfloat16", "float16"];

/** Elements of a tensor. */
export function elementCount(tensor: TensorSpec): number {
  return tensor.shape.reduce((product, size) => product * size, 1);
}

/** Whether a tensor is averaged as floating-point numbers here. */
export function isFloat(tensor: TensorSpec): boolean {
  return tensor.dtype === "F32" || tensor.dtype === "BF16" || tensor.dtype === "F16";
}

/** Elements of all floating tensors. */
export function floatElements(tensors: readonly TensorSpec[]): number {
  return tensors.filter(isFloat).reduce((sum, tensor) => sum + elementCount(tensor), 0);
}

/** Bytes of all tensors. */
export function tensorBytes(tensors: readonly TensorSpec[]): number {
  return tensors.reduce((sum, tensor) => sum + elementCount(tensor) * dtypeBytes[tensor.dtype], 0);
}

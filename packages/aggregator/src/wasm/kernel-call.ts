import type { Dtype } from "../tensor.js";
import { type KernelName, type KernelType, kernelNames } from "./kernel-names.js";

const numberOf = new Map<string, number>(kernelNames.map((name, index) => [name, index]));

/** One call as it stands among `KernelCalls`. */
export function kernelCall(kernel: KernelName, args: readonly number[]): readonly number[] {
  return [numberOf.get(kernel) ?? 0, args.length, ...args];
}

/** How kernels call an element type; `undefined` for those that they do not know. */
export function kernelType(dtype: Dtype): KernelType | undefined {
  if (dtype === "BF16") return "Bf16";
  return dtype === "F32" || dtype === "F16" || dtype === "F64" ? dtype : undefined;
}

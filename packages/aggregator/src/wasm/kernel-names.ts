/** Kernels by name; a call names one by its place here. Their arguments stand in `assembly/`. */
export const kernelNames = [
  "scanF32",
  "scanBf16",
  "scanF16",
  "scanF64",
  "foldSingleF32",
  "foldSingleBf16",
  "foldSingleF16",
  "foldDoubleF32",
  "foldDoubleBf16",
  "foldDoubleF16",
  "foldDoubleF64",
  "foldExactF32",
  "foldExactBf16",
  "foldExactF16",
  "foldExactF64",
  "finishExactF32",
  "meansOfExact",
  "meansOfDouble",
  "widen",
  "addBaseF32",
  "addBaseBf16",
  "addBaseF16",
  "addBaseF64",
  "checkSingle",
  "storeF32",
  "storeBf16",
  "storeF16",
  "storeF64",
] as const;

export type KernelName = (typeof kernelNames)[number];

/** Element types that kernels work on, as their names end. */
export type KernelType = "F32" | "Bf16" | "F16" | "F64";

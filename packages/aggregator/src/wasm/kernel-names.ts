/** Kernels by name; a call names one by its place here. Their arguments stand in `assembly/`. */
export const kernelNames = [
  "scanF32",
  "scanBf16",
  "scanF16",
  "scanF64",
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
  "scanAllF32",
  "scanAllBf16",
  "scanAllF16",
  "scanAllF64",
  "gridOf",
  "sumSingleF32",
  "sumSingleBf16",
  "sumSingleF16",
  "sumDoubleF32",
  "sumDoubleBf16",
  "sumDoubleF16",
  "sumDoubleF64",
  "sumExactF32",
  "sumExactBf16",
  "sumExactF16",
  "sumExactF64",
  "finishGridF32",
  "meansOfGrid",
  "addSteps",
  "stepsOf",
] as const;

export type KernelName = (typeof kernelNames)[number];

/** Element types that kernels work on, as their names end. */
export type KernelType = "F32" | "Bf16" | "F16" | "F64";

import type { Dtype, TensorSpec } from "@flare-ts/aggregator";
import { bertTensors } from "./bert.ts";
import { type FloatDtype, floatDtypes } from "./float-dtype.ts";
import { gpt2Tensors } from "./gpt2.ts";
import { llamaTensors } from "./llama.ts";
import { resnetTensors } from "./resnet.ts";
import { evenTensors } from "./synthetic.ts";
import { vitTensors } from "./vit.ts";

interface LayoutRow {
  /** The element type that the model is published in. */
  readonly dtype: FloatDtype;
  /** Whether the number of parameters is given by who asks; models have their own. */
  readonly isScalable: boolean;
  readonly tensors: (dtype: Dtype, params: number) => readonly TensorSpec[];
}

const model = (dtype: FloatDtype, tensors: (dtype: Dtype) => readonly TensorSpec[]): LayoutRow => ({ dtype, isScalable: false, tensors });

const rows = {
  flat: { dtype: "float32", isScalable: true, tensors: (dtype, params) => evenTensors(params, 1, dtype) },
  "160": { dtype: "float32", isScalable: true, tensors: (dtype, params) => evenTensors(params, 160, dtype) },
  resnet18: model("float32", (dtype) => resnetTensors({ blocks: [2, 2, 2, 2], isBottleneck: false }, dtype)),
  resnet50: model("float32", (dtype) => resnetTensors({ blocks: [3, 4, 6, 3], isBottleneck: true }, dtype)),
  "vit-b16": model("float32", (dtype) => vitTensors({ layers: 12, width: 768 }, dtype)),
  "vit-l16": model("float32", (dtype) => vitTensors({ layers: 24, width: 1024 }, dtype)),
  "bert-base": model("float32", (dtype) => bertTensors({ layers: 12, width: 768 }, dtype)),
  "bert-large": model("float32", (dtype) => bertTensors({ layers: 24, width: 1024 }, dtype)),
  gpt2: model("float32", (dtype) => gpt2Tensors({ layers: 12, width: 768 }, dtype)),
  "gpt2-xl": model("float32", (dtype) => gpt2Tensors({ layers: 48, width: 1600 }, dtype)),
  "llama-1b": model("bfloat16", (dtype) => llamaTensors({ layers: 16, width: 2048, keyWidth: 512, innerWidth: 8192, isTied: true }, dtype)),
  "llama-3b": model("bfloat16", (dtype) =>
    llamaTensors({ layers: 28, width: 3072, keyWidth: 1024, innerWidth: 8192, isTied: true }, dtype),
  ),
  "llama-8b": model("bfloat16", (dtype) =>
    llamaTensors({ layers: 32, width: 4096, keyWidth: 1024, innerWidth: 14_336, isTied: false }, dtype),
  ),
} as const satisfies Record<string, LayoutRow>;

/** Names of all layouts: two that take any number of parameters, and the state dicts of models. */
export type LayoutName = keyof typeof rows;

/** All names, the scalable ones first. */
export const layoutNames: readonly LayoutName[] = [
  "flat",
  "160",
  "resnet18",
  "resnet50",
  "vit-b16",
  "vit-l16",
  "bert-base",
  "bert-large",
  "gpt2",
  "gpt2-xl",
  "llama-1b",
  "llama-3b",
  "llama-8b",
];

/** Whether a layout takes any number of parameters. */
export function isScalable(name: LayoutName): boolean {
  return rows[name].isScalable;
}

/** The element type that a layout has unless another one is asked for. */
export function ownDtype(name: LayoutName): FloatDtype {
  return rows[name].dtype;
}

/** The tensors of a layout; `params` counts for scalable ones only. */
export function layoutTensors(name: LayoutName, dtype: FloatDtype, params: number): readonly TensorSpec[] {
  const row: LayoutRow = rows[name];
  return row.tensors(floatDtypes[dtype], params);
}

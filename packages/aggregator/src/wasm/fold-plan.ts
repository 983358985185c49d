import type { FoldInit } from "../session/arithmetic.js";
import type { Piece } from "../session/batches.js";
import { foldTotals, type TensorTotals } from "../session/fold-totals.js";
import { isFloatDtype } from "../tensor.js";
import { kernelType } from "./kernel-program.js";
import type { KernelType } from "./kernel-names.js";
import type { SumMode } from "./sum-mode.js";
import { commonType } from "./tile-inputs.js";

/** How a tensor is summed: the same in all its pieces. */
export interface TensorPlan extends TensorTotals {
  /** Type that the kernels read; `undefined` where plain JavaScript combines the tensor, or nobody sent it. */
  readonly type: KernelType | undefined;
  /** `single`: float32 sums of weights that add up to 1. */
  readonly sums: "exact" | "single" | "double";
  /** Updates whose values are summed, and those that are sums themselves, as indices into the list of updates. */
  readonly values: readonly number[];
  readonly partial: readonly number[];
  /** Factor of each of `values`, as the kernels take it. */
  readonly factors: readonly number[];
  /** Kernels write new values; otherwise means go to plain JavaScript, which adds a part of the base or takes the server's step. */
  readonly isStored: boolean;
  /** Kernels add the base to the means. */
  readonly isAddedToBase: boolean;
}

/** What all batches of one aggregation have in common. */
export interface FoldPlan {
  readonly mode: SumMode;
  readonly init: FoldInit;
  readonly totals: readonly TensorTotals[];
  /** By tensor of the model. */
  readonly tensors: readonly TensorPlan[];
  /** Values are scanned as they are folded: for their grid, or because they were not checked before. */
  readonly isScanned: boolean;
}

/** Decides for each tensor of a model how kernels sum it. */
export function planFold(init: FoldInit, mode: SumMode): FoldPlan {
  const totals = foldTotals(init);
  const { updates, step, isDifference, announced } = init;
  const tensors = init.tensors.map((tensor, index): TensorPlan => {
    const total = totals[index] as TensorTotals;
    const values = total.senders.filter((i) => updates[i]?.sums === undefined);
    const isSingle = mode === "fast" && tensor.dtype !== "F64";
    const isFloat = isFloatDtype(tensor.dtype) && total.isCombined;
    const isStepped = step?.step.appliesTo(tensor) === true;
    return {
      ...total,
      type: isFloat ? (commonType(tensor.dtype, values.map((i) => updates[i]?.stored[index])) ?? kernelType(tensor.dtype)) : undefined,
      sums: mode === "exact" ? "exact" : isSingle ? "single" : "double",
      values,
      partial: total.senders.filter((i) => updates[i]?.sums !== undefined),
      factors: values.map((i) => (updates[i]?.factor ?? 0) / (isSingle ? total.weight : 1)),
      isStored: isFloat && !isStepped && (isDifference || total.baseFactor === 0),
      isAddedToBase: isDifference,
    };
  });
  const isScanned = (mode === "exact" && announced === undefined) || updates.some(({ findings }) => findings !== undefined);
  return { mode, init, totals, tensors, isScanned };
}

/** Adding it rounds to whole steps of the grid. */
export function magicOf(gridBits: number): number {
  return 1.5 * 2 ** (52 - gridBits);
}

/** Whether kernels combine a piece. */
export function isKernelPiece({ tensors }: FoldPlan, { tensor }: Piece): boolean {
  return tensors[tensor]?.type !== undefined;
}

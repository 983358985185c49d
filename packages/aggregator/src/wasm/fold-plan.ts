import { gridFor } from "../exact/exact-scale.js";
import type { FoldInit } from "../session/arithmetic.js";
import type { Piece } from "../session/batches.js";
import { foldTotals, type TensorTotals } from "../session/fold-totals.js";
import { trimmedCount } from "../strategies/trimmed-mean.js";
import { isFloatDtype } from "../tensor.js";
import type { KernelType } from "./kernel-names.js";
import { kernelType } from "./kernel-program.js";
import type { PlacedSortingPlan, SortingPlans } from "./sorting-plans.js";
import type { SumMode } from "./sum-mode.js";
import { commonBlock, commonType, needsDecoding } from "./tile-inputs.js";
import { type HeldBytes, heldBytes } from "./tile-room.js";

/** How a tensor is summed: the same in all its pieces. */
export interface TensorPlan extends TensorTotals {
  /** Type that the kernels read; `undefined` where plain JavaScript combines the tensor, or nobody sent it. */
  readonly type: KernelType | undefined;
  /** `single`: float32 sums of weights that add up to 1; `middle`: no sums, but a median or trimmed mean as float32. */
  readonly sums: "exact" | "single" | "double" | "middle";
  /** How the values are sorted for their middle. */
  readonly sorting: PlacedSortingPlan | undefined;
  /** Elements that share a scale, where kernels sum int8 as it is stored; else it is decoded first. */
  readonly int8Block: number | undefined;
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
  /** Some values are decoded to float32 before they are summed. */
  readonly isDecoded: boolean;
  /** All updates lie in the kernels' memory, and their values are summed where they are, as they are, and unseen. */
  readonly isInPlace: boolean;
  /** What updates take of a thread's inputs where all values are held at once. */
  readonly heldBytes: HeldBytes;
}

/** Decides for each tensor of a model how kernels sum it. */
export function planFold(init: FoldInit, mode: SumMode, sortings: SortingPlans): FoldPlan {
  const totals = foldTotals(init);
  const { updates, step, isDifference, announced, combine } = init;
  const isMiddle = combine.kind !== "mean";
  const cutOf = (n: number): number => (combine.kind === "trimmed-mean" ? trimmedCount(combine.fraction, n) : (n - 1) >> 1);
  const isKnown = announced !== undefined || updates.every(({ maxima, sums }) => maxima !== undefined || sums !== undefined);
  const isScanned = (mode === "exact" && !isMiddle && !isKnown) || updates.some(({ findings }) => findings !== undefined);
  const tensors = init.tensors.map((tensor, index): TensorPlan => {
    const total = totals[index] as TensorTotals;
    const values = total.senders.filter((i) => updates[i]?.sums === undefined);
    const isSingle = mode === "fast" && tensor.dtype !== "F64";
    // Kernels find the middle of float32 alone.
    const isFloat = isFloatDtype(tensor.dtype) && total.isCombined && !(isMiddle && tensor.dtype === "F64");
    const isStepped = step?.step.appliesTo(tensor) === true;
    const stored = values.map((i) => updates[i]?.stored[index]);
    const sums = isMiddle ? "middle" : mode === "exact" ? "exact" : isSingle ? "single" : "double";
    return {
      ...total,
      type: !isFloat ? undefined : isMiddle ? "F32" : (commonType(tensor.dtype, stored) ?? kernelType(tensor.dtype)),
      sums,
      int8Block: isFloat && (sums === "single" || sums === "exact") ? commonBlock(stored) : undefined,
      sorting: isMiddle && isFloat ? sortings.of(values.length, cutOf(values.length)) : undefined,
      values,
      partial: total.senders.filter((i) => updates[i]?.sums !== undefined),
      factors: values.map((i) => (updates[i]?.factor ?? 0) / (isSingle ? total.weight : 1)),
      isStored: isFloat && !isStepped && (isDifference || total.baseFactor === 0),
      isAddedToBase: isDifference,
    };
  });
  const isDecoded = tensors.some(
    ({ type, int8Block, values }, index) => int8Block === undefined && values.some((i) => needsDecoding(updates[i]?.stored[index], type)),
  );
  const isInPlace = !isScanned && !isDecoded && updates.every(({ source }) => source.address !== undefined);
  return { mode, init, totals, tensors, isScanned, isDecoded, isInPlace, heldBytes: heldBytes(updates) };
}

/** The grid of a piece, where it is known before values are looked at: announced, or by what was found when they were checked. */
export function knownGrid(
  { init }: FoldPlan,
  { piece, values }: { readonly piece: Piece; readonly values: readonly number[] },
): number | undefined {
  const announced = init.announced?.[piece.tensor];
  if (announced !== undefined) return announced;
  let largestTerm = 0;
  for (const i of values) {
    const { maxima, factor = 0 } = init.updates[i] ?? {};
    if (maxima === undefined) return undefined;
    largestTerm = Math.max(largestTerm, maxima.of(piece) * Math.abs(factor));
  }
  return Number.isFinite(largestTerm) ? gridFor(largestTerm) : 0;
}

/** Adding it rounds to whole steps of the grid. */
export function magicOf(gridBits: number): number {
  return 1.5 * 2 ** (52 - gridBits);
}

/** Whether kernels combine a piece. */
export function isKernelPiece({ tensors }: FoldPlan, { tensor }: Piece): boolean {
  return tensors[tensor]?.type !== undefined;
}

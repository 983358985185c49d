import type { Batch, Piece } from "../session/batches.js";
import { type FoldPlan, isKernelPiece, type TensorPlan } from "./fold-plan.js";

/** A piece of a batch, with its place in the slot's lists. */
export interface PlacedPiece {
  readonly piece: Piece;
  readonly plan: TensorPlan;
  /** Index of the piece in the batch, for its grid and its flag. */
  readonly index: number;
  /** First of its entries, of which there is one for each of the plan's values. */
  readonly entry: number;
}

/** The pieces of a batch that kernels combine; those that need not be single blocks are joined, since each costs time of its own. */
export function placePieces(fold: FoldPlan, batch: Batch): readonly PlacedPiece[] {
  let entry = 0;
  const placed: PlacedPiece[] = [];
  for (const [index, piece] of batch.pieces.entries()) {
    const plan = fold.tensors[piece.tensor];
    if (!isKernelPiece(fold, piece) || plan === undefined) continue;
    const last = placed.at(-1);
    if (last?.piece.tensor === piece.tensor && fold.isInPlace && isCheckedWhileSummed(plan, piece)) {
      placed[placed.length - 1] = { ...last, piece: { ...last.piece, count: last.piece.count + piece.count } };
      continue;
    }
    placed.push({ piece, plan, index, entry });
    entry += plan.values.length;
  }
  return placed;
}

/** Whether sums that are themselves the new values are looked at, for one that is not finite, by the kernel that makes them. */
export function isCheckedWhileSummed(plan: TensorPlan, piece: Piece): boolean {
  const areNewValues = plan.isStored && !plan.isAddedToBase && piece.dtype === "F32";
  return areNewValues && plan.sums === "single" && plan.type === "F32" && plan.int8Block === undefined && plan.partial.length === 0;
}

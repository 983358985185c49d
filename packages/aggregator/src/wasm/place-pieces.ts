import type { Batch, Piece } from "../session/batches.js";
import { type FoldPlan, isKernelPiece, knownGrid, type TensorPlan } from "./fold-plan.js";

/** A piece of a batch, with its place in the slot's lists. */
export interface PlacedPiece {
  readonly piece: Piece;
  readonly plan: TensorPlan;
  /** Index of the piece in the batch, for its grid and its flag. */
  readonly index: number;
  /** First of its entries, of which there is one for each of the plan's values. */
  readonly entry: number;
  /** Of exact sums, where it is known before values are looked at. */
  readonly gridBits: number | undefined;
}

/** The pieces of a batch that kernels combine; those that need not be single blocks are joined, since each costs time of its own. */
export function placePieces(fold: FoldPlan, batch: Batch): readonly PlacedPiece[] {
  let entry = 0;
  const placed: PlacedPiece[] = [];
  for (const [index, piece] of batch.pieces.entries()) {
    const plan = fold.tensors[piece.tensor];
    if (!isKernelPiece(fold, piece) || plan === undefined) continue;
    const isFound = fold.isScanned && fold.init.announced === undefined;
    const gridBits = plan.sums === "exact" && !isFound ? knownGrid(fold, { piece, values: plan.values }) : undefined;
    const last = placed.at(-1);
    const isAlike = last?.piece.tensor === piece.tensor && last.gridBits === gridBits;
    if (isAlike && fold.isInPlace && isMadeInOnePass(fold, plan, piece)) {
      placed[placed.length - 1] = { ...last, piece: { ...last.piece, count: last.piece.count + piece.count } };
      continue;
    }
    placed.push({ piece, plan, index, entry, gridBits });
    entry += plan.values.length;
  }
  return placed;
}

/**
 * Whether one kernel can make new values of all updates' values, in which it looks for one that is beyond its type: new values of
 * float32 that nothing else is added to.
 */
export function isMadeInOnePass({ init }: FoldPlan, plan: TensorPlan, piece: Piece): boolean {
  const areNewValues = init.result === "model" && plan.isStored && !plan.isAddedToBase && piece.dtype === "F32";
  const isSummed = (plan.sums === "single" || plan.sums === "exact") && plan.type !== "F64";
  return areNewValues && isSummed && plan.values.length > 0 && plan.partial.length === 0;
}

import type { Piece } from "../cpu/batches.js";
import type { FoldSource } from "../cpu/fold-updates.js";
import { roundsToFinite } from "../cpu/store-means.js";
import { dtypeBytes } from "../tensor.js";
import { pieceAddress } from "./batch-sources.js";
import { kernelCall, kernelType } from "./kernel-call.js";
import type { Share } from "./split-batch.js";
import type { SumMode } from "./sum-mode.js";
import { updatesPerPass, type WorkSlot } from "./work-slots.js";

/** What all batches of one aggregation have in common; lists go by tensor. */
export interface FoldPlan {
  readonly mode: SumMode;
  readonly gridBits: Float64Array;
  /** Sums of the weights of those that sent the tensor. */
  readonly totals: readonly number[];
  /** How many sent the tensor. */
  readonly senders: readonly number[];
  readonly isDifference: boolean;
}

/** Calls that add the updates of one pass to the sums of one thread's shares. */
export function foldCalls(
  plan: FoldPlan,
  shares: readonly Share[],
  pass: readonly FoldSource[],
  begun: ReadonlySet<Piece>,
  slot: WorkSlot,
): readonly number[] {
  return shares.flatMap(({ piece, from, count }) => {
    const type = kernelType(piece.dtype);
    if (type === undefined) return [];
    const senders = pass.flatMap((update, i) => ((update.offsets[piece.tensor] ?? -1) < 0 ? [] : [{ update, input: slot.inputs[i] ?? 0 }]));
    if (senders.length === 0) return [];
    const values = senders.map(({ update, input }) => pieceAddress(update, piece, input) + from * dtypeBytes[piece.dtype]);
    const total = plan.totals[piece.tensor] ?? 1;
    const weights = senders.map(({ update: { weight } }) => (isSingle(plan, piece) ? weight / total : weight));
    const common = [
      senders.length,
      begun.has(piece) ? 0 : 1,
      sumsAt(plan, piece, slot, from),
      count,
      ...padded(values),
      ...padded(weights),
    ];
    if (plan.mode === "exact") return kernelCall(`foldExact${type}`, [...common, magicOf(plan, piece)]);
    if (type === "F64" || plan.mode === "float64") return kernelCall(`foldDouble${type}`, common);
    return kernelCall(`foldSingle${type}`, common);
  });
}

/** Calls that turn the sums of one thread's shares into new values; `flag` is set where one is beyond the model's type. */
export function finishCalls(plan: FoldPlan, shares: readonly Share[], slot: WorkSlot, flag: number): readonly number[] {
  return shares.flatMap(({ piece, from, count }) => {
    const type = kernelType(piece.dtype);
    const total = plan.totals[piece.tensor] ?? 0;
    if (type === undefined || total === 0) return [];
    const means = slot.sums + 8 * (piece.element + from);
    const out = slot.out + piece.at + from * dtypeBytes[piece.dtype];
    const limit = roundsToFinite[piece.dtype] ?? 0;
    const isFused = type === "F32" && !plan.isDifference;
    if (isSingle(plan, piece) && isFused) return kernelCall("checkSingle", [out, count, flag]);
    // A power of two changes no bit of a quotient here: the grid is taken off together with the weight.
    const exact = [means, count, plan.senders[piece.tensor] ?? 0, magicOf(plan, piece), total * 2 ** (plan.gridBits[piece.tensor] ?? 0)];
    if (plan.mode === "exact" && isFused) return kernelCall("finishExactF32", [...exact, out, limit, flag]);
    const base = slot.base + piece.at + from * dtypeBytes[piece.dtype];
    return [
      ...(plan.mode === "exact"
        ? kernelCall("meansOfExact", exact)
        : isSingle(plan, piece)
          ? kernelCall("widen", [sumsAt(plan, piece, slot, from), count, means])
          : kernelCall("meansOfDouble", [means, count, total])),
      ...(plan.isDifference ? kernelCall(`addBase${type}`, [means, count, base]) : []),
      ...kernelCall(`store${type}`, [means, count, out, limit, flag]),
    ];
  });
}

/** Whether sums are float32, of weights that add up to 1; float64 tensors always have sums of their own type. */
function isSingle({ mode }: FoldPlan, { dtype }: Piece): boolean {
  return mode === "fast" && dtype !== "F64";
}

function sumsAt(plan: FoldPlan, piece: Piece, slot: WorkSlot, from: number): number {
  if (!isSingle(plan, piece)) return slot.sums + 8 * (piece.element + from);
  // Where nothing is left to do but a check, sums are made in place.
  if (piece.dtype === "F32" && !plan.isDifference) return slot.out + piece.at + 4 * from;
  return slot.singles + 4 * (piece.element + from);
}

/** Adding it rounds to whole steps of the grid. */
function magicOf({ gridBits }: FoldPlan, { tensor }: Piece): number {
  return 1.5 * 2 ** (52 - (gridBits[tensor] ?? 0));
}

function padded(values: readonly number[]): readonly number[] {
  return [...values, ...Array.from({ length: updatesPerPass - values.length }, () => 0)];
}

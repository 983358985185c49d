import { throwIfAborted } from "../abort.js";
import { gridFor } from "../exact/exact-scale.js";
import { addSums, foldFloat32, foldFloat64, type LimbSums, meansOf, sumsOf } from "../exact/limb-sums.js";
import type { FoldInit, FoldUpdate } from "../session/arithmetic.js";
import type { Batch, Piece } from "../session/batches.js";
import type { TensorTotals } from "../session/fold-totals.js";
import { planReads } from "../session/plan-reads.js";
import { ReusedBuffer, readPieces } from "../session/read-pieces.js";
import { isFloatDtype } from "../tensor.js";
import { PieceValues } from "./piece-values.js";
import { ReusedFloats } from "./reused-floats.js";
import { scanFloats } from "./scan-floats.js";

/** Weighted means by exact sums: the rule that every exact engine follows. Works on one batch at a time. */
export class MeansOfBatch {
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #room = { high: new ReusedFloats(), low: new ReusedFloats(), means: new ReusedFloats() };
  #limbs: LimbSums = { high: new Float64Array(0), low: new Float64Array(0) };
  readonly #buffer = new ReusedBuffer();
  readonly #values = new PieceValues();

  constructor(init: FoldInit, totals: readonly TensorTotals[]) {
    this.#init = init;
    this.#totals = totals;
  }

  /** Gives the mean of each floating element of the batch. */
  async combine(batch: Batch): Promise<Float64Array> {
    const { updates, announced } = this.#init;
    const { elements } = batch;
    this.#limbs = { high: this.#room.high.of(elements).fill(0, 0, elements), low: this.#room.low.of(elements).fill(0, 0, elements) };
    const means = this.#room.means.of(elements);
    const largestTerms = new Map<Piece, number>();
    const note = (piece: Piece, maxAbs: number, { factor }: FoldUpdate): void => {
      largestTerms.set(piece, Math.max(largestTerms.get(piece) ?? 0, maxAbs * Math.abs(factor)));
    };
    for (const [i, update] of updates.entries()) {
      if (update.sums !== undefined) continue;
      if (update.findings === undefined && (announced !== undefined || update.maxima !== undefined)) {
        for (const piece of this.#piecesOf(i, batch)) note(piece, update.maxima?.of(piece) ?? 0, update);
        continue;
      }
      // The grid follows from all values of a block, so they are read once for it and once more for the sums.
      await this.#readEach(i, update, batch, (piece, values) => {
        const scanned = scanFloats(values);
        update.findings?.addFloat(piece, scanned, () => values);
        note(piece, scanned.maxAbs, update);
      });
    }
    const gridBits = (piece: Piece): number => announced?.[piece.tensor] ?? finiteGrid(largestTerms.get(piece) ?? 0);
    for (const [i, update] of updates.entries()) {
      if (update.sums !== undefined) {
        await this.#readSums(i, update, batch);
        continue;
      }
      await this.#readEach(i, update, batch, (piece, values) => {
        if (values instanceof Float32Array) foldFloat32(this.#limbs, piece.element, values, update.factor, gridBits(piece));
        else foldFloat64(this.#limbs, piece.element, values, update.factor, gridBits(piece));
      });
    }
    for (const piece of batch.pieces) {
      const totals = this.#totals[piece.tensor];
      if (!isFloatDtype(piece.dtype) || totals?.isCombined !== true) continue;
      meansOf(this.#limbs, piece.element, totals.weight, means.subarray(piece.element, piece.element + piece.count));
    }
    return means;
  }

  /** The sums behind the means, in steps of the announced grids. */
  sums({ pieces, elements }: Batch): BigInt64Array {
    const sums = new BigInt64Array(elements);
    for (const { tensor, dtype, element, count } of pieces) {
      if (isFloatDtype(dtype)) sums.set(sumsOf(this.#limbs, element, count, this.#init.announced?.[tensor] ?? 0), element);
    }
    return sums;
  }

  /** Floating pieces that an update counts for. */
  #piecesOf(index: number, { pieces }: Batch): readonly Piece[] {
    return pieces.filter(({ tensor, dtype }) => isFloatDtype(dtype) && this.#totals[tensor]?.senders.includes(index) === true);
  }

  async #readEach(
    index: number,
    update: FoldUpdate,
    batch: Batch,
    take: (piece: Piece, values: Float32Array | Float64Array) => void,
  ): Promise<void> {
    throwIfAborted(this.#init.signal);
    const pieces = this.#piecesOf(index, batch);
    const plan = planReads(update.stored, pieces);
    const bytes = this.#buffer.of(plan.bytes);
    await readPieces(update.source, plan, bytes);
    for (const [i, piece] of pieces.entries()) {
      const place = plan.pieces[i];
      if (place !== undefined) take(piece, this.#values.floats(bytes, place, piece));
    }
  }

  async #readSums(index: number, update: FoldUpdate, batch: Batch): Promise<void> {
    const pieces = this.#piecesOf(index, batch);
    const plan = planReads(update.stored, pieces);
    const bytes = this.#buffer.of(plan.bytes);
    await readPieces(update.source, plan, bytes);
    for (const [i, piece] of pieces.entries()) {
      const at = plan.pieces[i]?.at ?? 0;
      const steps = this.#values.raw(bytes, at, "I64", piece.count) as BigInt64Array;
      addSums(this.#limbs, piece.element, steps, this.#init.announced?.[piece.tensor] ?? 0);
    }
  }
}

function finiteGrid(largestTerm: number): number {
  return Number.isFinite(largestTerm) ? gridFor(largestTerm) : 0;
}

import { throwIfAborted } from "../abort.js";
import type { FoldInit, FoldUpdate } from "../session/arithmetic.js";
import type { Batch, Piece } from "../session/batches.js";
import type { TensorTotals } from "../session/fold-totals.js";
import { planReads } from "../session/plan-reads.js";
import { ReusedBuffer, readPieces } from "../session/read-pieces.js";
import { isFloatDtype } from "../tensor.js";
import { combineValues } from "./combine-values.js";
import { PieceValues } from "./piece-values.js";
import { ReusedFloats } from "./reused-floats.js";
import { scanFloats } from "./scan-floats.js";

/** Combinations that need all values of an element at once. */
export class ValuesOfBatch {
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #combined = new ReusedFloats();
  readonly #buffer = new ReusedBuffer();
  readonly #values = new PieceValues();

  constructor(init: FoldInit, totals: readonly TensorTotals[]) {
    this.#init = init;
    this.#totals = totals;
  }

  /** Gives the combined value of each floating element of the batch. */
  async combine(batch: Batch): Promise<Float64Array> {
    const { updates, combine, signal } = this.#init;
    const columns = new Map<Piece, { readonly values: Float64Array; readonly update: FoldUpdate }[]>();
    for (const [i, update] of updates.entries()) {
      throwIfAborted(signal);
      const pieces = batch.pieces.filter(({ tensor, dtype }) => isFloatDtype(dtype) && this.#totals[tensor]?.senders.includes(i) === true);
      const plan = planReads(update.stored, pieces);
      const bytes = this.#buffer.of(plan.bytes);
      await readPieces(update.source, plan, bytes);
      for (const [index, piece] of pieces.entries()) {
        const place = plan.pieces[index];
        if (place === undefined) continue;
        const values = this.#values.floats(bytes, place, piece);
        update.findings?.addFloat(piece, scanFloats(values), () => values);
        const column = columns.get(piece) ?? [];
        columns.set(piece, column);
        column.push({ values: Float64Array.from(values), update });
      }
    }
    const combined = this.#combined.of(batch.elements);
    for (const [piece, column] of columns) {
      const into = combined.subarray(piece.element, piece.element + piece.count);
      combineValues(
        combine,
        column.map(({ values }) => values),
        column.map(({ update }) => update),
        piece.dtype,
        into,
      );
    }
    return combined;
  }
}

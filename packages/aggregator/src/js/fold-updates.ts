import { throwIfAborted } from "../abort.js";
import { gridFor } from "../exact/exact-scale.js";
import { addSums, foldFloat32, foldFloat64, type LimbSums, meansOf, sumsOf } from "../exact/limb-sums.js";
import type { FoldedBatch, FoldInit, FoldUpdate } from "../session/arithmetic.js";
import { type Batch, batchBytes, batchElements, batchesForAllValues, type Piece, planBatches } from "../session/batches.js";
import { combineIntegers } from "../session/combine-integers.js";
import { BatchFinisher } from "../session/finish-batch.js";
import { foldTotals, type TensorTotals } from "../session/fold-totals.js";
import { planReads } from "../session/plan-reads.js";
import { ReusedBuffer, readPieces } from "../session/read-pieces.js";
import { isFloatDtype } from "../tensor.js";
import { combineValues } from "./combine-values.js";
import { PieceValues } from "./piece-values.js";
import { scanFloats } from "./scan-floats.js";

/**
 * Makes the new model's bytes in plain JavaScript, batch by batch, with a few batches of 1 MiB in memory whatever the model and
 * the number of updates.
 *
 * @throws `aggregate/out-of-range`, `internal/aborted`, and as `UpdateFindings` where updates are still to be checked
 */
export async function* foldUpdates(init: FoldInit): AsyncGenerator<FoldedBatch> {
  const totals = foldTotals(init);
  const finisher = new BatchFinisher(init, totals);
  const isMean = init.combine.kind === "mean";
  const fold = isMean ? new MeansOfBatch(init, totals) : new ValuesOfBatch(init, totals);
  const limits = isMean ? { elements: init.result === "sums" ? batchElements / 2 : batchElements } : batchesForAllValues(init.updates.length);
  const out = new Uint8Array(batchBytes);
  for (const batch of planBatches(init.tensors, init.isIncluded, limits)) {
    throwIfAborted(init.signal);
    const floats = await fold.combine(batch);
    const integers = await combineIntegers(init, totals, batch);
    if (init.result === "sums") {
      yield { model: sumsBytes(batch, fold.sums(batch), integers), state: [] };
      continue;
    }
    const state = await finisher.finish(batch, { floats, integers, isStored: () => false }, out);
    yield { model: out.subarray(0, batch.bytes), state };
  }
}

/** Weighted means by exact sums. */
class MeansOfBatch {
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #limbs: LimbSums = { high: new Float64Array(batchElements), low: new Float64Array(batchElements) };
  readonly #means = new Float64Array(batchElements);
  readonly #buffer = new ReusedBuffer();
  readonly #values = new PieceValues();

  constructor(init: FoldInit, totals: readonly TensorTotals[]) {
    this.#init = init;
    this.#totals = totals;
  }

  /** Gives the mean of each floating element of the batch. */
  async combine(batch: Batch): Promise<Float64Array> {
    const { updates, announced } = this.#init;
    this.#limbs.high.fill(0, 0, batch.elements);
    this.#limbs.low.fill(0, 0, batch.elements);
    const largestTerms = new Map<Piece, number>();
    // The grid follows from all values of a block, so they are read once for it and once more for the sums.
    if (announced === undefined || updates.some(({ findings }) => findings !== undefined)) {
      for (const [i, update] of updates.entries()) {
        if (update.sums !== undefined) continue;
        await this.#readEach(i, update, batch, (piece, values) => {
          const scanned = scanFloats(values);
          update.findings?.addFloat(piece, scanned, () => values);
          largestTerms.set(piece, Math.max(largestTerms.get(piece) ?? 0, scanned.maxAbs * Math.abs(update.factor)));
        });
      }
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
      meansOf(this.#limbs, piece.element, totals.weight, this.#means.subarray(piece.element, piece.element + piece.count));
    }
    return this.#means;
  }

  /** The sums behind the means, in steps of the announced grids. */
  sums({ pieces, elements }: Batch): BigInt64Array {
    const sums = new BigInt64Array(elements);
    for (const { tensor, dtype, element, count } of pieces) {
      if (isFloatDtype(dtype)) sums.set(sumsOf(this.#limbs, element, count, this.#init.announced?.[tensor] ?? 0), element);
    }
    return sums;
  }

  async #readEach(index: number, update: FoldUpdate, batch: Batch, take: (piece: Piece, values: Float32Array | Float64Array) => void): Promise<void> {
    throwIfAborted(this.#init.signal);
    const pieces = batch.pieces.filter(({ tensor, dtype }) => isFloatDtype(dtype) && this.#totals[tensor]?.senders.includes(index) === true);
    const plan = planReads(update.stored, pieces);
    const bytes = this.#buffer.of(plan.bytes);
    await readPieces(update.source, plan, bytes);
    for (const [i, piece] of pieces.entries()) {
      const place = plan.pieces[i];
      if (place !== undefined) take(piece, this.#values.floats(bytes, place, piece));
    }
  }

  async #readSums(index: number, update: FoldUpdate, batch: Batch): Promise<void> {
    const pieces = batch.pieces.filter(({ tensor, dtype }) => isFloatDtype(dtype) && this.#totals[tensor]?.senders.includes(index) === true);
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

/** Combinations that need all values of an element at once. */
class ValuesOfBatch {
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #combined = new Float64Array(batchElements);
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
    for (const [piece, column] of columns) {
      const into = this.#combined.subarray(piece.element, piece.element + piece.count);
      combineValues(
        combine,
        column.map(({ values }) => values),
        column.map(({ update }) => update),
        piece.dtype,
        into,
      );
    }
    return this.#combined;
  }

  sums(): BigInt64Array {
    return new BigInt64Array(0);
  }
}

function sumsBytes({ pieces, elements }: Batch, floats: BigInt64Array, integers: ReadonlyMap<Piece, (index: number) => bigint>): Uint8Array {
  const sums = floats;
  for (const piece of pieces) {
    const sum = integers.get(piece);
    if (sum !== undefined) for (let i = 0; i < piece.count; i++) sums[piece.element + i] = sum(i);
  }
  return new Uint8Array(sums.buffer, 0, 8 * elements);
}

function finiteGrid(largestTerm: number): number {
  return Number.isFinite(largestTerm) ? gridFor(largestTerm) : 0;
}

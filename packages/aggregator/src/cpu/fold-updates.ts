import { FlareError, limits } from "@flare-ts/contracts";
import { throwIfAborted } from "../abort.js";
import type { ByteSource } from "../byte-source.js";
import { type IntegerData, IntegerSums } from "../exact/integer-means.js";
import { foldFloat32, foldFloat64, type LimbSums, meansOf } from "../exact/limb-sums.js";
import { totalWeight } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import { dtypeBytes, isFloatDtype } from "../tensor.js";
import { type Batch, batchBytes, batchElements, type Piece, planBatches, readBatch } from "./batches.js";
import { PieceViews } from "./piece-views.js";
import { storeFloats, storeIntegers } from "./store-means.js";

/** One update, checked and open for reading. */
export interface FoldSource {
  readonly source: ByteSource;
  readonly weight: number;
  /** Where each tensor of the model begins; -1 where it is absent. */
  readonly offsets: Float64Array;
}

export interface FoldInit {
  readonly tensors: readonly TensorPlace[];
  readonly updates: readonly FoldSource[];
  /** For each floating tensor the grid that its terms are rounded to. */
  readonly gridBits: Float64Array;
  /** Largest absolute value of each tensor in any update. */
  readonly maxAbs: Float64Array;
  /** Taken over for tensors that no update has, and added to the means where `isDifference`. */
  readonly base: Omit<FoldSource, "weight"> | undefined;
  readonly isDifference: boolean;
  /** Tensors that are written. */
  readonly isIncluded: (tensor: number) => boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes the new model's bytes, tensor after tensor, with a batch of 1 MiB of one update in work and the next being read.
 * All updates are folded for one batch before the next batch begins, so memory does not grow with model or updates.
 *
 * @throws `aggregate/out-of-range`, `internal/aborted`
 */
export async function* foldUpdates(init: FoldInit): AsyncGenerator<Uint8Array> {
  const { tensors, updates, base, signal } = init;
  const weights = tensors.map((_, tensor) => updates.filter(({ offsets }) => (offsets[tensor] ?? -1) >= 0).map(({ weight }) => weight));
  const totals = weights.map((each) => totalWeight(each));
  const baseOffsets = base?.offsets.map((offset, tensor) => (init.isDifference || totals[tensor] === 0 ? offset : -1));
  const sums: LimbSums = { high: new Float64Array(batchElements), low: new Float64Array(batchElements) };
  const means = new Float64Array(batchElements);
  const views = new PieceViews();
  const buffers = [new Uint8Array(batchBytes), new Uint8Array(batchBytes)] as const;
  const stored = new ArrayBuffer(batchBytes);
  const out = new Uint8Array(batchBytes);

  for (const batch of planBatches(tensors, init.isIncluded)) {
    const integers = new Map<Piece, IntegerSums>();
    for (const piece of batch.pieces) {
      if (isFloatDtype(piece.dtype)) continue;
      integers.set(piece, new IntegerSums(piece.count, weights[piece.tensor] ?? [], init.maxAbs[piece.tensor] ?? 0));
    }
    await sumBatch(batch, integers);
    if (base !== undefined && baseOffsets !== undefined) await readBatch(base.source, baseOffsets, batch, buffers[0]);
    for (const piece of batch.pieces) {
      const bytes = piece.count * dtypeBytes[piece.dtype];
      if (totals[piece.tensor] === 0) {
        out.set(buffers[0].subarray(piece.at, piece.at + bytes), piece.at);
        continue;
      }
      const wrong = isFloatDtype(piece.dtype) ? storeFloatPiece(piece) : storeIntegerPiece(piece, integers.get(piece));
      if (wrong >= 0) throw beyondType(tensors, piece, wrong);
      out.set(new Uint8Array(stored, 0, bytes), piece.at);
    }
    yield out.subarray(0, batch.bytes);
  }

  async function sumBatch(batch: Batch, integers: ReadonlyMap<Piece, IntegerSums>): Promise<void> {
    sums.high.fill(0, 0, batch.elements);
    sums.low.fill(0, 0, batch.elements);
    let reading = startReading(batch, 0);
    for (const [index, { offsets, weight }] of updates.entries()) {
      await reading;
      throwIfAborted(signal);
      // The next update is read while this one is folded; nothing below can throw, so the read is always waited for.
      reading = startReading(batch, index + 1);
      const buffer = bufferFor(index);
      for (const piece of batch.pieces) {
        if ((offsets[piece.tensor] ?? -1) < 0) continue;
        if (isFloatDtype(piece.dtype)) {
          const values = views.floats(buffer, piece);
          const gridBits = init.gridBits[piece.tensor] ?? 0;
          if (values instanceof Float32Array) foldFloat32(sums, piece.element, values, weight, gridBits);
          else foldFloat64(sums, piece.element, values, weight, gridBits);
        } else integers.get(piece)?.add(views.raw(buffer, piece) as IntegerData, weight);
      }
    }
  }

  function startReading(batch: Batch, index: number): Promise<void> {
    const next = updates[index];
    return next === undefined ? Promise.resolve() : readBatch(next.source, next.offsets, batch, bufferFor(index));
  }

  function bufferFor(index: number): Uint8Array {
    return buffers[(index % 2) as 0 | 1];
  }

  function storeFloatPiece(piece: Piece): number {
    const values = means.subarray(0, piece.count);
    meansOf(sums, piece.element, totals[piece.tensor] ?? 0, values);
    if (init.isDifference) {
      const from = views.floats(buffers[0], piece);
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + (from[i] as number);
    }
    return storeFloats(piece.dtype, values, stored);
  }

  function storeIntegerPiece(piece: Piece, integerSums: IntegerSums | undefined): number {
    if (integerSums === undefined) return -1;
    const from = init.isDifference ? (views.raw(buffers[0], piece) as IntegerData) : undefined;
    return storeIntegers(piece.dtype, integerSums, from, piece.count, stored);
  }
}

/** Says which new value does not fit the model's type. */
export function beyondType(tensors: readonly TensorPlace[], { tensor, firstElement, dtype }: Piece, index: number): FlareError {
  const name = tensors[tensor]?.name ?? "";
  return new FlareError(
    "aggregate/out-of-range",
    `The new value of tensor ${quoted(name)} at element ${firstElement + index} is beyond ${dtype}.`,
    {
      facts: { tensor: name.slice(0, limits.peerTextChars), element: firstElement + index, dtype },
    },
  );
}

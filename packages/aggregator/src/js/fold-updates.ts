import { throwIfAborted } from "../abort.js";
import type { FoldedBatch, FoldInit } from "../session/arithmetic.js";
import { type Batch, batchElements, batchesForAllValues, planBatches } from "../session/batches.js";
import { combineIntegers, type IntegerPieces } from "../session/combine-integers.js";
import { BatchFinisher } from "../session/finish-batch.js";
import { foldTotals } from "../session/fold-totals.js";
import { ReusedBuffer } from "../session/read-pieces.js";
import { MeansOfBatch } from "./means-of-batch.js";
import { ValuesOfBatch } from "./values-of-batch.js";

/**
 * Makes the new model's bytes in plain JavaScript, batch by batch, with a few batches of 1 MiB in memory whatever the model and
 * the number of updates.
 *
 * @throws `aggregate/out-of-range`, `internal/aborted`, and as `UpdateFindings` where updates are still to be checked
 */
export async function* foldUpdates(init: FoldInit): AsyncGenerator<FoldedBatch> {
  const totals = foldTotals(init);
  const finisher = new BatchFinisher(init, totals);
  const means = init.combine.kind === "mean" ? new MeansOfBatch(init, totals) : undefined;
  const fold = means ?? new ValuesOfBatch(init, totals);
  const limits =
    means !== undefined
      ? { elements: init.result === "sums" ? batchElements / 2 : batchElements }
      : batchesForAllValues(init.updates.length);
  const buffer = new ReusedBuffer();
  for (const batch of planBatches(init.tensors, init.isIncluded, limits)) {
    throwIfAborted(init.signal);
    const floats = await fold.combine(batch);
    const integers = await combineIntegers(init, totals, batch);
    if (init.result === "sums" && means !== undefined) {
      yield { model: sumsBytes(batch, means.sums(batch), integers), state: [] };
      continue;
    }
    const out = buffer.of(batch.bytes);
    const state = await finisher.finish(batch, { floats, integers, isStored: () => false }, out);
    yield { model: out.subarray(0, batch.bytes), state };
  }
}

function sumsBytes({ pieces, elements }: Batch, sums: BigInt64Array, integers: IntegerPieces): Uint8Array {
  for (const piece of pieces) {
    const sum = integers.get(piece);
    if (sum !== undefined) for (let i = 0; i < piece.count; i++) sums[piece.element + i] = sum(i);
  }
  return new Uint8Array(sums.buffer, 0, 8 * elements);
}

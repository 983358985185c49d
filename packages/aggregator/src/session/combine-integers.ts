import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { divideRounded, type IntegerData, IntegerSums } from "../exact/integer-means.js";
import { PieceValues } from "../js/piece-values.js";
import { quoted } from "../peer-text.js";
import { trimmedCount } from "../strategies/trimmed-mean.js";
import { type Dtype, isFloatDtype } from "../tensor.js";
import type { FoldInit, FoldUpdate } from "./arithmetic.js";
import type { Batch, Piece } from "./batches.js";
import { sharesOf, type TensorTotals } from "./fold-totals.js";
import { planReads } from "./plan-reads.js";
import { ReusedBuffer, readPieces } from "./read-pieces.js";

/** The combined value of each element of a piece of an integer tensor; as a sum, where sums are made. */
export type IntegerPieces = ReadonlyMap<Piece, (index: number) => bigint>;

/** Largest magnitudes of integer types; that of 64-bit integers, and of sums of them, is left out. */
export const largestInteger: Readonly<Partial<Record<Dtype, number>>> = Object.freeze({
  I32: 2 ** 31,
  I16: 2 ** 15,
  I8: 128,
  U8: 255,
  BOOL: 1,
});

/**
 * Combines the integer tensors of a batch. They are few and small in models, so plain JavaScript does it for every engine, and
 * exactly: means by weight, whatever the factors, rounded to the nearest integer, ties to even; median and trimmed mean likewise.
 *
 * @throws `aggregate/value-invalid` where updates are still to be checked, `aggregate/out-of-range` for a sum beyond 64 bits
 */
export async function combineIntegers(init: FoldInit, totals: readonly TensorTotals[], batch: Batch): Promise<IntegerPieces> {
  const pieces = batch.pieces.filter(({ tensor, dtype }) => !isFloatDtype(dtype) && totals[tensor]?.senders.length !== 0);
  const combined = new Map<Piece, (index: number) => bigint>();
  if (pieces.length === 0) return combined;
  const isMean = init.combine.kind === "mean" || init.combine.kind === "custom";
  const sums = new Map(pieces.map((piece) => [piece, isMean ? sumsFor(init, totals[piece.tensor], piece) : undefined]));
  const columns = new Map<Piece, IntegerData[]>();
  const values = new PieceValues();
  const buffer = new ReusedBuffer();
  for (const [i, update] of init.updates.entries()) {
    throwIfAborted(init.signal);
    const sent = pieces.filter(({ tensor }) => totals[tensor]?.senders.includes(i) === true);
    const plan = planReads(update.stored, sent);
    const bytes = buffer.of(plan.bytes);
    await readPieces(update.source, plan, bytes);
    for (const [index, piece] of sent.entries()) {
      const place = plan.pieces[index];
      if (place === undefined) continue;
      const dtype: Dtype = update.sums === undefined ? piece.dtype : "I64";
      const data = values.raw(bytes, place.at, dtype, piece.count) as IntegerData;
      if (update.sums === undefined) update.findings?.addInteger(piece, data);
      const sum = sums.get(piece);
      if (sum === undefined) columns.set(piece, [...(columns.get(piece) ?? []), data.slice()]);
      else if (update.sums === undefined) sum.add(data, update.weight);
      else sum.addSums(data as BigInt64Array);
    }
  }
  for (const piece of pieces) {
    const sum = sums.get(piece);
    if (sum === undefined) combined.set(piece, middleOf(columns.get(piece) ?? [], init));
    else combined.set(piece, init.result === "sums" ? (index) => wholeSum(init, piece, sum, index) : (index) => sum.mean(index));
  }
  return combined;
}

function sumsFor({ updates }: FoldInit, totals: TensorTotals | undefined, { tensor, dtype, count }: Piece): IntegerSums {
  const weights = (totals?.senders ?? []).flatMap((i) => {
    const update: FoldUpdate | undefined = updates[i];
    return update === undefined ? [0] : sharesOf(update, tensor).map(({ weight }) => weight);
  });
  return new IntegerSums(count, weights, largestInteger[dtype] ?? Number.POSITIVE_INFINITY);
}

function middleOf(columns: readonly IntegerData[], { combine }: FoldInit): (index: number) => bigint {
  const n = columns.length;
  const cut = combine.kind === "trimmed-mean" ? trimmedCount(combine.fraction, n) : Math.floor((n - 1) / 2);
  return (index) => {
    const sorted = columns.map((column) => BigInt(column[index] as number | bigint)).sort((a, b) => (a < b ? -1 : Number(a > b)));
    const kept = sorted.slice(cut, n - cut);
    return divideRounded(
      kept.reduce((sum, value) => sum + value, 0n),
      BigInt(kept.length),
    );
  };
}

function wholeSum({ tensors }: FoldInit, { tensor }: Piece, sums: IntegerSums, index: number): bigint {
  const sum = sums.sum(index);
  if (sum !== undefined && BigInt.asIntN(64, sum) === sum) return sum;
  const name = tensors[tensor]?.name ?? "";
  throw new FlareError(
    "aggregate/out-of-range",
    `The sum of the integer tensor ${quoted(name)} ${sum === undefined ? "has weights that are not whole numbers" : "is beyond 64 bits"}.`,
    { facts: { tensor: name.slice(0, limits.peerTextChars) } },
  );
}

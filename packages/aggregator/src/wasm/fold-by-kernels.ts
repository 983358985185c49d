import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { foldUpdates } from "../js/fold-updates.js";
import { PieceValues } from "../js/piece-values.js";
import { ValuesOfBatch } from "../js/values-of-batch.js";
import { quoted } from "../peer-text.js";
import type { FoldedBatch, FoldInit, FoldUpdate } from "../session/arithmetic.js";
import { type Batch, blockElements, type Piece, planBatches } from "../session/batches.js";
import { combineIntegers, type IntegerPieces } from "../session/combine-integers.js";
import { BatchFinisher } from "../session/finish-batch.js";
import { planReads } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import { type FoldPlan, isKernelPiece, planFold } from "./fold-plan.js";
import { elementsTogether, foldProgram } from "./fold-program.js";
import { inSlots } from "./in-slots.js";
import { type PlacedPiece, placePieces } from "./place-pieces.js";
import { readFailed } from "./read-failed.js";
import { SortingPlans } from "./sorting-plans.js";
import type { SumMode } from "./sum-mode.js";
import type { WasmParts } from "./wasm-parts.js";
import { slotBytes, slotElements, slotEntries, slotPieces, type WorkSlot } from "./work-slots.js";

/** A batch that the kernels are done with. */
interface SummedBatch {
  readonly slot: WorkSlot;
  readonly batch: Batch;
  readonly pieces: readonly PlacedPiece[];
  readonly integers: IntegerPieces;
}

/**
 * Makes the new model's bytes as `foldUpdates` does; in mode `exact` the same bytes. A few batches are in work at once, so
 * that reading, folding and what the caller does with the bytes overlap.
 *
 * @throws as `foldUpdates`
 */
export async function* foldByKernels(parts: WasmParts, mode: SumMode, init: FoldInit): AsyncGenerator<FoldedBatch> {
  const sortings = new SortingPlans(parts.memory);
  try {
    const plan = planFold(init, mode, sortings);
    const together = elementsTogether(plan);
    // Plain JavaScript has room for values of which kernels cannot hold those of all updates at once.
    if (together === 0) yield* foldUpdates(init);
    else yield* foldPlanned(parts, plan, together);
  } finally {
    sortings.release();
  }
}

async function* foldPlanned(parts: WasmParts, plan: FoldPlan, together: number): AsyncGenerator<FoldedBatch> {
  const { slots, memory } = parts;
  const { init } = plan;
  const finisher = new BatchFinisher(init, plan.totals);
  const entries = Math.max(1, init.updates.length);
  const most = {
    elements: init.result === "sums" ? slotElements / 2 : slotElements,
    bytes: slotBytes,
    pieces: Math.max(1, Math.min(slotPieces, Math.floor(slotEntries / entries))),
    // Pieces are whole blocks as long as all values of a block can be held.
    pieceElements: together >= blockElements ? blockElements : 2 ** Math.floor(Math.log2(together)),
  };
  const summed = inSlots(slots, planBatches(init.tensors, init.isIncluded, most), (batch, slot) => sumBatch(parts, plan, batch, slot));
  for await (const each of summed) {
    const { slot, batch, integers } = each;
    throwIfAborted(init.signal);
    await requireFit(parts, plan, each);
    if (init.result === "sums") {
      const sums = memory.view(slot.out, 8 * batch.elements);
      for (const piece of batch.pieces) {
        // What only those sent whom the strategy left out has sums of zero.
        if (isKernelPiece(plan, piece)) continue;
        const sum = integers.get(piece) ?? (() => 0n);
        sums.set(new Uint8Array(BigInt64Array.from({ length: piece.count }, (_, i) => sum(i)).buffer), 8 * piece.element);
      }
      yield { model: sums, state: [] };
      continue;
    }
    const out = memory.view(slot.out, batch.bytes);
    const isStored = ({ tensor }: Piece): boolean => plan.tensors[tensor]?.type !== undefined && plan.tensors[tensor].isStored;
    const floats = memory.doubles(slot.means, batch.elements);
    yield { model: out, state: await finisher.finish(batch, { floats, integers, isStored }, out) };
  }
}

async function sumBatch({ memory, threads }: WasmParts, plan: FoldPlan, batch: Batch, slot: WorkSlot): Promise<SummedBatch> {
  const { init, totals } = plan;
  throwIfAborted(init.signal);
  const thread = threads.next();
  const pieces = placePieces(plan, batch);
  const program = foldProgram(plan, pieces, { memory, scratch: thread.scratch, slot });
  // All are waited for, also where one fails: nothing may go on writing into a slot that is given back.
  const [failure, integers, wide] = await Promise.allSettled([
    program.length === 0 ? undefined : thread.run(program),
    combineIntegers(init, totals, batch),
    middleOfWide(plan, batch),
  ]);
  if (failure.status === "rejected") throw failure.reason;
  if (failure.value !== undefined) throw readFailed(failure.value, [...init.updates, init.base]);
  if (integers.status === "rejected") throw integers.reason;
  if (wide.status === "rejected") throw wide.reason;
  for (const { element, count } of wide.value.pieces) {
    memory.doubles(slot.means + 8 * element, count).set(wide.value.combined.subarray(element, element + count));
  }
  return { slot, batch, pieces, integers: integers.value };
}

/** Medians and trimmed means of float64, by plain JavaScript. */
async function middleOfWide(plan: FoldPlan, batch: Batch): Promise<{ readonly pieces: readonly Piece[]; readonly combined: Float64Array }> {
  const { init, totals } = plan;
  const pieces =
    init.combine.kind === "mean" ? [] : batch.pieces.filter(({ tensor, dtype }) => dtype === "F64" && totals[tensor]?.isCombined === true);
  if (pieces.length === 0) return { pieces, combined: new Float64Array(0) };
  return { pieces, combined: await new ValuesOfBatch(init, totals).combine({ ...batch, pieces }) };
}

/** Refuses values that were not checked before and are not fit, and new values beyond their type. */
async function requireFit({ memory }: WasmParts, { init }: FoldPlan, { slot, pieces }: SummedBatch): Promise<void> {
  const flags = memory.words(slot.flags, slotPieces);
  const results = memory.doubles(slot.results, 2 * slotEntries);
  const isChecked = init.updates.every(({ findings }) => findings === undefined);
  for (const { piece, plan, index, entry } of pieces) {
    for (const [position, i] of isChecked ? [] : plan.values.entries()) {
      const update = init.updates[i];
      if (update?.findings === undefined) continue;
      const maxAbs = results[2 * (entry + position)] ?? 0;
      const squares = results[2 * (entry + position) + 1] ?? 0;
      // Only what cannot be told from the scan alone is read again, for the message.
      const values = Number.isFinite(squares) ? new Float32Array(0) : await valuesOf(update, piece);
      update.findings.addFloat(piece, { maxAbs, squares }, () => values);
    }
    if (flags[index] !== 0) throw await beyondType(init, piece);
  }
}

async function valuesOf({ source, stored }: FoldUpdate, piece: Piece): Promise<Float32Array | Float64Array> {
  const plan = planReads(stored, [piece]);
  const buffer = new Uint8Array(plan.bytes);
  await readPieces(source, plan, buffer);
  const [place] = plan.pieces;
  return place === undefined ? new Float32Array(0) : new PieceValues().floats(buffer, place, piece);
}

/** Says which new value is beyond its type: plain JavaScript finds it again, unless rounding sums have made it so. */
async function beyondType(init: FoldInit, piece: Piece): Promise<FlareError> {
  const { tensor, dtype, firstElement, count } = piece;
  const updates = init.updates.map((update) => ({ ...update, findings: undefined }));
  try {
    for await (const batch of foldUpdates({ ...init, updates, isIncluded: (other) => other === tensor })) void batch;
  } catch (cause) {
    if (cause instanceof FlareError && cause.code === "aggregate/out-of-range") return cause;
    throw cause;
  }
  const name = init.tensors[tensor]?.name ?? "";
  return new FlareError(
    "aggregate/out-of-range",
    `A new value of tensor ${quoted(name)}, among elements ${firstElement} to ${firstElement + count - 1}, is beyond ${dtype}.`,
    { facts: { tensor: name.slice(0, limits.peerTextChars), element: firstElement, dtype } },
  );
}

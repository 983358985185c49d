import { throwIfAborted } from "../abort.js";
import { type Batch, batchBytes, batchElements, type Piece, planBatches, readBatch } from "../cpu/batches.js";
import { beyondType, type FoldInit, type FoldSource } from "../cpu/fold-updates.js";
import { PieceViews } from "../cpu/piece-views.js";
import { roundsToFinite, storeIntegers } from "../cpu/store-means.js";
import { type IntegerData, IntegerSums } from "../exact/integer-means.js";
import { totalWeight } from "../exact/weight.js";
import { dtypeBytes, isFloatDtype } from "../tensor.js";
import { bringIn, pieceAddress } from "./batch-sources.js";
import { type FoldPlan, finishCalls, foldCalls } from "./fold-plan.js";
import { InFlight } from "./in-flight.js";
import { splitBatch } from "./split-batch.js";
import type { SumMode } from "./sum-mode.js";
import type { WasmParts } from "./wasm-parts.js";
import { updatesPerPass, type WorkSlot } from "./work-slots.js";

/**
 * Makes the new model's bytes as `foldUpdates` does; in mode `exact` the same bytes. A few batches are in work at once, so
 * that reading, folding and what the caller does with the bytes overlap.
 *
 * @throws `aggregate/out-of-range`, `internal/aborted`
 */
export async function* foldByKernels(parts: WasmParts, mode: SumMode, init: FoldInit): AsyncGenerator<Uint8Array> {
  const { slots } = parts;
  const fold = new BatchFold(parts, mode, init);
  const inFlight = new InFlight({
    items: planBatches(init.tensors, init.isIncluded),
    start: async (batch: Batch) => {
      const slot = await slots.take();
      try {
        return { slot, bytes: await fold.run(batch, slot) };
      } catch (cause) {
        slots.giveBack(slot);
        throw cause;
      }
    },
    release: ({ slot }) => slots.giveBack(slot),
  });
  for await (const { bytes } of inFlight.results()) yield bytes;
}

/** Folds batches, each in a slot of its own. */
class BatchFold {
  readonly #parts: WasmParts;
  readonly #init: FoldInit;
  readonly #updates: readonly FoldSource[];
  readonly #plan: FoldPlan;
  readonly #weights: readonly (readonly number[])[];
  readonly #baseOffsets: Float64Array | undefined;

  constructor(parts: WasmParts, mode: SumMode, init: FoldInit) {
    this.#parts = parts;
    this.#init = init;
    this.#updates = init.updates;
    this.#weights = init.tensors.map((_, tensor) =>
      init.updates.filter(({ offsets }) => (offsets[tensor] ?? -1) >= 0).map(({ weight }) => weight),
    );
    const totals = this.#weights.map((each) => totalWeight(each));
    this.#plan = {
      mode,
      gridBits: init.gridBits,
      isDifference: init.isDifference,
      totals,
      senders: this.#weights.map(({ length }) => length),
    };
    this.#baseOffsets = init.base?.offsets.map((offset, tensor) => (init.isDifference || totals[tensor] === 0 ? offset : -1));
  }

  /** Gives the batch's new bytes, which lie in the slot. */
  async run(batch: Batch, slot: WorkSlot): Promise<Uint8Array> {
    const { memory, threads } = this.#parts;
    const { base, signal } = this.#init;
    throwIfAborted(signal);
    const shares = splitBatch(batch, threads.count);
    const integers = this.#beginIntegers(batch);
    const begun = new Set<Piece>();
    let calls: number[][] = shares.map(() => []);
    const readsBase =
      base === undefined || this.#baseOffsets === undefined
        ? undefined
        : readBatch(base.source, this.#baseOffsets, batch, memory.view(slot.base, batchBytes));
    // Waited for below; what is thrown before must not leave it unhandled.
    readsBase?.catch(() => {});
    try {
      for (let first = 0; first < this.#updates.length; first += updatesPerPass) {
        const pass = this.#updates.slice(first, first + updatesPerPass);
        const isRead = pass.some(({ source }) => source.address === undefined);
        // What is read takes the place of what the pass before has folded.
        if (isRead && calls.some(({ length }) => length > 0)) {
          await threads.run(calls);
          calls = shares.map(() => []);
        }
        await allDone(pass.map((update, i) => bringIn(update, batch, memory.view(slot.inputs[i] ?? 0, batchBytes))));
        throwIfAborted(signal);
        this.#addIntegers(pass, integers, slot);
        for (const [thread, each] of shares.entries()) calls[thread]?.push(...foldCalls(this.#plan, each, pass, begun, slot));
        for (const piece of batch.pieces) if (pass.some(({ offsets }) => (offsets[piece.tensor] ?? -1) >= 0)) begun.add(piece);
      }
    } finally {
      await readsBase?.catch(() => {});
    }
    await readsBase;
    this.#clearFlags(slot);
    for (const [thread, each] of shares.entries()) calls[thread]?.push(...finishCalls(this.#plan, each, slot, slot.flags + 64 * thread));
    if (calls.some(({ length }) => length > 0)) await threads.run(calls);
    this.#requireWithinType(batch, slot);
    this.#storeOthers(batch, integers, slot);
    return memory.view(slot.out, batch.bytes);
  }

  #beginIntegers(batch: Batch): Map<Piece, IntegerSums> {
    const integers = new Map<Piece, IntegerSums>();
    for (const piece of batch.pieces) {
      if (isFloatDtype(piece.dtype)) continue;
      integers.set(piece, new IntegerSums(piece.count, this.#weights[piece.tensor] ?? [], this.#init.maxAbs[piece.tensor] ?? 0));
    }
    return integers;
  }

  #addIntegers(pass: readonly FoldSource[], integers: ReadonlyMap<Piece, IntegerSums>, slot: WorkSlot): void {
    const views = new PieceViews();
    for (const [piece, sums] of integers) {
      for (const [i, update] of pass.entries()) {
        if ((update.offsets[piece.tensor] ?? -1) < 0) continue;
        sums.add(this.#integersAt(views, piece, pieceAddress(update, piece, slot.inputs[i] ?? 0)), update.weight);
      }
    }
  }

  /** Integers, and tensors that nobody sent: the few that kernels do not make. */
  #storeOthers(batch: Batch, integers: ReadonlyMap<Piece, IntegerSums>, slot: WorkSlot): void {
    const { memory } = this.#parts;
    const views = new PieceViews();
    for (const piece of batch.pieces) {
      const bytes = piece.count * dtypeBytes[piece.dtype];
      const out = memory.view(slot.out + piece.at, bytes);
      const sums = integers.get(piece);
      if (this.#plan.totals[piece.tensor] === 0) out.set(memory.view(slot.base + piece.at, bytes));
      else if (sums !== undefined) {
        const from = this.#init.isDifference ? this.#integersAt(views, piece, slot.base + piece.at) : undefined;
        const stored = new ArrayBuffer(bytes);
        const wrong = storeIntegers(piece.dtype, sums, from, piece.count, stored);
        if (wrong >= 0) throw beyondType(this.#init.tensors, piece, wrong);
        out.set(new Uint8Array(stored));
      }
    }
  }

  #integersAt(views: PieceViews, piece: Piece, address: number): IntegerData {
    return views.raw(this.#parts.memory.view(address, piece.count * dtypeBytes[piece.dtype]), { ...piece, at: 0 }) as IntegerData;
  }

  #clearFlags(slot: WorkSlot): void {
    this.#parts.memory.view(slot.flags, 64 * this.#parts.threads.count).fill(0);
  }

  #requireWithinType(batch: Batch, slot: WorkSlot): void {
    const { memory, threads } = this.#parts;
    if (memory.view(slot.flags, 64 * threads.count).every((flag) => flag === 0)) return;
    const { mode, isDifference, totals, senders, gridBits } = this.#plan;
    const view = memory.view(slot.sums, 8 * batchElements);
    const sums = new Float64Array(view.buffer, view.byteOffset, batchElements);
    const steps = new BigInt64Array(view.buffer, view.byteOffset, batchElements);
    const views = new PieceViews();
    for (const piece of batch.pieces) {
      const { tensor, dtype, element, count } = piece;
      if (!isFloatDtype(dtype) || totals[tensor] === 0) continue;
      const bits = gridBits[tensor] ?? 0;
      const isFused = dtype === "F32" && !isDifference;
      const meanAt = (i: number): number => {
        if (!isFused || mode === "float64") return sums[element + i] as number;
        if (mode === "fast") return out[i] as number;
        const bias = BigInt(senders[tensor] ?? 0) * magicBits(bits);
        return Number(BigInt.asIntN(64, (steps[element + i] as bigint) - bias)) / ((totals[tensor] ?? 1) * 2 ** bits);
      };
      const out = views.raw(memory.view(slot.out, batch.bytes), piece);
      for (let i = 0; i < count; i++) {
        if (!(Math.abs(meanAt(i)) < (roundsToFinite[dtype] ?? 0))) throw beyondType(this.#init.tensors, piece, i);
      }
    }
  }
}

/** Waits for all, also where one fails: none may go on writing into a slot that is given back. */
async function allDone(reads: readonly Promise<void>[]): Promise<void> {
  for (const read of await Promise.allSettled(reads)) if (read.status === "rejected") throw read.reason;
}

function magicBits(gridBits: number): bigint {
  return new BigInt64Array(Float64Array.of(1.5 * 2 ** (52 - gridBits)).buffer)[0] as bigint;
}

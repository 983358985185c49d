import { throwIfAborted } from "../abort.js";
import type { FoldedBatch, FoldInit } from "../session/arithmetic.js";
import { type Batch, batchElements, type Piece, planBatches } from "../session/batches.js";
import { combineIntegers, type IntegerPieces } from "../session/combine-integers.js";
import { BatchFinisher } from "../session/finish-batch.js";
import { foldTotals, type TensorTotals } from "../session/fold-totals.js";
import { planReads } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import { roundsToFinite } from "../session/store-values.js";
import { kernelType } from "../wasm/kernel-program.js";
import type { WorkSlot } from "../wasm/work-slots.js";
import type { ModelSums, SumsPlace } from "./model-sums.js";

/**
 * Makes the new model's bytes, or sums for another place, of sums that are complete, as `foldUpdates` makes them of updates; of
 * exact sums the same bytes. The sums stay as they are.
 *
 * @param unit - what the factors were divided by
 * @throws `aggregate/out-of-range`, `internal/aborted`
 */
export async function* foldSums(sums: ModelSums, unit: number, init: FoldInit): AsyncGenerator<FoldedBatch> {
  const totals = foldTotals(init);
  const finisher = new BatchFinisher(init, totals);
  const { slots, memory } = sums.parts;
  const slot = await slots.take();
  try {
    const elements = init.result === "sums" ? batchElements / 2 : batchElements;
    for (const batch of planBatches(init.tensors, init.isIncluded, { elements })) {
      throwIfAborted(init.signal);
      const integers = await combineIntegers(init, totals, batch);
      const work = new BatchOfSums(sums, unit, init, totals, slot);
      if (init.result === "sums") {
        yield { model: work.steps(batch, integers), state: [] };
        continue;
      }
      const stored = await work.combine(batch, finisher);
      const floats = memory.doubles(slot.means, batch.elements);
      const out = memory.view(slot.out, batch.bytes);
      yield { model: out, state: await finisher.finish(batch, { floats, integers, isStored: (piece) => stored.has(piece) }, out) };
    }
  } finally {
    slots.giveBack(slot);
  }
}

/** What is done with the sums of a batch. */
class BatchOfSums {
  readonly #sums: ModelSums;
  readonly #unit: number;
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #slot: WorkSlot;

  constructor(sums: ModelSums, unit: number, init: FoldInit, totals: readonly TensorTotals[], slot: WorkSlot) {
    this.#sums = sums;
    this.#unit = unit;
    this.#init = init;
    this.#totals = totals;
    this.#slot = slot;
  }

  /** Sums as whole numbers of grid steps. */
  steps({ pieces, elements }: Batch, integers: IntegerPieces): Uint8Array {
    const { kernels, places, parts } = this.#sums;
    const { out } = this.#slot;
    const all = parts.memory.view(out, 8 * elements);
    for (const piece of pieces) {
      const place = places[piece.tensor];
      const { senders } = this.#totals[piece.tensor] as TensorTotals;
      const integer = integers.get(piece);
      if (place !== undefined) kernels.stepsOf(senders.length, addressOf(place, piece), piece.count, place.grid, out + 8 * piece.element);
      else if (integer !== undefined) {
        const whole = BigInt64Array.from({ length: piece.count }, (_, i) => integer(i));
        all.set(new Uint8Array(whole.buffer), 8 * piece.element);
      }
    }
    return all;
  }

  /** Stores new values, or means where plain JavaScript goes on with them. Gives the pieces that are stored. */
  async combine(batch: Batch, finisher: BatchFinisher): Promise<ReadonlySet<Piece>> {
    const { isDifference, base } = this.#init;
    const { memory } = this.#sums.parts;
    const flags = memory.words(this.#slot.flags, batch.pieces.length);
    const floats = batch.pieces.filter(
      ({ tensor }) => this.#sums.places[tensor] !== undefined && this.#totals[tensor]?.isCombined === true,
    );
    const stored = floats.filter(({ tensor }) => !finisher.isStepped(tensor) && (isDifference || this.#totals[tensor]?.baseFactor === 0));
    const isAdded = isDifference && base !== undefined;
    const plan = planReads(base?.stored ?? [], isAdded ? stored : []);
    if (isAdded) await readPieces(base.source, plan, memory.view(this.#sums.base, plan.bytes));
    flags.fill(0);
    const kept = new Set(stored);
    for (const [index, piece] of batch.pieces.entries()) {
      const place = this.#sums.places[piece.tensor];
      if (place === undefined || !floats.includes(piece)) continue;
      const at = plan.pieces[stored.indexOf(piece)]?.at;
      if (kept.has(piece)) this.#store(piece, place, at === undefined ? undefined : this.#sums.base + at, this.#slot.flags + 4 * index);
      // Plain JavaScript says which value it is that its type cannot hold.
      if (flags[index] !== 0) kept.delete(piece);
      if (!kept.has(piece)) this.#means(piece, place);
    }
    return kept;
  }

  #store(piece: Piece, place: SumsPlace, base: number | undefined, flag: number): void {
    const { kernels, isExact } = this.#sums;
    const { senders, weight } = this.#totals[piece.tensor] as TensorTotals;
    const type = kernelType(piece.dtype);
    if (type === undefined) return;
    const { count } = piece;
    const out = this.#slot.out + piece.at;
    const limit = roundsToFinite[piece.dtype] ?? 0;
    if (isExact && type === "F32" && base === undefined && senders.length > 0) {
      kernels.finishGridF32(senders.length, addressOf(place, piece), count, place.grid, weight, out, limit, flag);
      return;
    }
    const means = this.#means(piece, place);
    if (base !== undefined) kernels[`addBase${type}`](means, count, base);
    kernels[`store${type}`](means, count, out, limit, flag);
  }

  /** Sums to float64 means. Gives where they are. */
  #means(piece: Piece, place: SumsPlace): number {
    const { kernels, isExact, parts } = this.#sums;
    const { senders, weight } = this.#totals[piece.tensor] as TensorTotals;
    const { count, element } = piece;
    const means = this.#slot.means + 8 * element;
    const sums = addressOf(place, piece);
    // A strategy with a divisor of its own combines also what nobody sent.
    if (senders.length === 0) parts.memory.view(means, 8 * count).fill(0);
    else if (place.width === 4) kernels.widen(sums, count, means);
    else parts.memory.view(means, 8 * count).set(parts.memory.view(sums, 8 * count));
    if (senders.length === 0) return means;
    if (isExact) kernels.meansOfGrid(senders.length, means, count, place.grid, weight);
    else kernels.meansOfDouble(means, count, weight / this.#unit);
    return means;
  }
}

function addressOf({ address, width }: SumsPlace, { firstElement }: Piece): number {
  return address + width * firstElement;
}

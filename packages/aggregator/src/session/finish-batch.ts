import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { IntegerData } from "../exact/integer-means.js";
import { PieceValues } from "../js/piece-values.js";
import { ReusedFloats } from "../js/reused-floats.js";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import { dtypeBytes, isFloatDtype } from "../tensor.js";
import type { FoldInit, FoldStep } from "./arithmetic.js";
import type { Batch, Piece } from "./batches.js";
import type { IntegerPieces } from "./combine-integers.js";
import type { TensorTotals } from "./fold-totals.js";
import { planReads, type ReadPlan } from "./plan-reads.js";
import { ReusedBuffer, readPieces } from "./read-pieces.js";
import { storeFloats, storeIntegers } from "./store-values.js";

/** What was combined of a batch. */
export interface CombinedBatch {
  /** Combined values of floating elements, before the base is added; index is that among the batch's elements. */
  readonly floats: Float64Array;
  readonly integers: IntegerPieces;
  /** Pieces whose new bytes are in place already. */
  readonly isStored: (piece: Piece) => boolean;
}

/** Turns combined values into the new model's bytes: adds the base, takes the server step, rounds to the type. */
export class BatchFinisher {
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #values = new PieceValues();
  readonly #buffers = { base: new ReusedBuffer(), state: [] as ReusedBuffer[] };
  readonly #stored = new ReusedBuffer();
  readonly #base = new ReusedFloats();

  constructor(init: FoldInit, totals: readonly TensorTotals[]) {
    this.#init = init;
    this.#totals = totals;
  }

  /** Whether combined values alone do not make the new ones: a step is taken, or a part of the base is added. */
  isStepped(tensor: number): boolean {
    const { step, tensors } = this.#init;
    const spec = tensors[tensor];
    return step !== undefined && spec !== undefined && isFloatDtype(spec.dtype) && step.step.appliesTo(spec);
  }

  /** Whether combined values, rounded to the tensor's type, are the new ones: there is no step, and nothing of the base in them. */
  isPlain(tensor: number): boolean {
    const totals = this.#totals[tensor];
    return totals?.isCombined === true && totals.baseFactor === 0 && !this.isStepped(tensor);
  }

  /**
   * Writes a batch's new bytes to `out`.
   *
   * @returns the new state, float32, one array of bytes for each of the step's names
   * @throws `aggregate/out-of-range`
   */
  async finish(batch: Batch, { floats, integers, isStored }: CombinedBatch, out: Uint8Array): Promise<readonly Uint8Array[]> {
    const { base, step } = this.#init;
    const left = batch.pieces.filter((piece) => !isStored(piece));
    const basePlan = base === undefined ? undefined : planReads(base.stored, left);
    const baseBytes = this.#buffers.base.of(basePlan?.bytes ?? 0);
    if (base !== undefined && basePlan !== undefined) await readPieces(base.source, basePlan, baseBytes);
    const states = step === undefined ? undefined : await this.#readState(step, batch);
    for (const [index, piece] of left.entries()) {
      const baseAt = basePlan?.pieces[index]?.at ?? -1;
      if (this.#totals[piece.tensor]?.isCombined === false) {
        out.set(baseBytes.subarray(baseAt, baseAt + piece.count * dtypeBytes[piece.dtype]), piece.at);
        continue;
      }
      const sums = integers.get(piece);
      const wrong =
        sums === undefined
          ? this.#storeFloats(piece, floats.subarray(piece.element, piece.element + piece.count), baseBytes, basePlan, index, states)
          : storeIntegers(piece.dtype, sums, this.#integersOfBase(piece, baseBytes, baseAt), piece.count, this.#room(piece));
      if (wrong >= 0) throw beyondType(this.#init.tensors, piece, wrong);
      out.set(new Uint8Array(this.#room(piece), 0, piece.count * dtypeBytes[piece.dtype]), piece.at);
    }
    return states?.after ?? [];
  }

  #storeFloats(
    piece: Piece,
    values: Float64Array,
    baseBytes: Uint8Array,
    plan: ReadPlan | undefined,
    index: number,
    states: StateOfBatch | undefined,
  ): number {
    const { isDifference, step } = this.#init;
    const baseFactor = this.#totals[piece.tensor]?.baseFactor ?? 0;
    const isStepped = this.isStepped(piece.tensor);
    if (baseFactor !== 0 || isStepped) {
      const base = this.#base.of(piece.count).subarray(0, piece.count);
      const place = plan?.pieces[index];
      if (place === undefined) base.fill(0);
      else base.set(this.#values.floats(baseBytes, place, piece));
      if (isStepped && step !== undefined && states !== undefined) {
        const change = isDifference ? 0 : baseFactor - 1;
        for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + change * (base[i] as number);
        const state = states.of(piece);
        step.step.apply({
          tensor: this.#init.tensors[piece.tensor]?.name ?? "",
          firstElement: piece.firstElement,
          change: values,
          base,
          state,
          stepNumber: step.stepNumber,
        });
        const wrong = states.keep(piece, state);
        if (wrong >= 0) return wrong;
        for (let i = 0; i < values.length; i++) values[i] = (base[i] as number) + (values[i] as number);
      } else for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + baseFactor * (base[i] as number);
    }
    return storeFloats(piece.dtype, values, this.#room(piece));
  }

  /** Where the new bytes of a piece are made. */
  #room({ dtype, count }: Piece): ArrayBuffer {
    return this.#stored.of(count * dtypeBytes[dtype]).buffer;
  }

  #integersOfBase({ dtype, count }: Piece, bytes: Uint8Array, at: number): IntegerData | undefined {
    return this.#init.isDifference ? (this.#values.raw(bytes, at, dtype, count) as IntegerData) : undefined;
  }

  async #readState({ step, state }: FoldStep, batch: Batch): Promise<StateOfBatch> {
    const pieces = batch.pieces.filter(({ tensor }) => this.isStepped(tensor));
    const plans = state.map(({ stored }) => planReads(stored, pieces));
    const buffers: Uint8Array[] = [];
    for (const [i, { source }] of state.entries()) {
      const buffer = (this.#buffers.state[i] ??= new ReusedBuffer()).of(plans[i]?.bytes ?? 0);
      const plan = plans[i];
      if (plan !== undefined) await readPieces(source, plan, buffer);
      buffers.push(buffer);
    }
    return new StateOfBatch(step.stateNames.length, pieces, buffers, plans);
  }
}

/** State of the pieces of a batch that a step applies to: before it, and after it. */
class StateOfBatch {
  readonly after: readonly Uint8Array[];
  readonly #places = new Map<Piece, { readonly index: number; readonly element: number }>();
  readonly #before: readonly Uint8Array[];
  readonly #plans: readonly ReadPlan[];
  readonly #values = new PieceValues();

  constructor(names: number, pieces: readonly Piece[], before: readonly Uint8Array[], plans: readonly ReadPlan[]) {
    let element = 0;
    for (const [index, piece] of pieces.entries()) {
      this.#places.set(piece, { index, element });
      element += piece.count;
    }
    this.after = Array.from({ length: names }, () => new Uint8Array(4 * element));
    this.#before = before;
    this.#plans = plans;
  }

  /** The state before the step, zeros at the first. */
  of(piece: Piece): Float64Array[] {
    const index = this.#places.get(piece)?.index ?? 0;
    return this.after.map((_, name) => {
      const state = new Float64Array(piece.count);
      const place = this.#plans[name]?.pieces[index];
      const bytes = this.#before[name];
      if (place !== undefined && bytes !== undefined) state.set(this.#values.floats(bytes, place, piece));
      return state;
    });
  }

  /** Takes the state after the step. Gives the index of a value beyond float32, or -1. */
  keep(piece: Piece, state: readonly Float64Array[]): number {
    const at = 4 * (this.#places.get(piece)?.element ?? 0);
    for (const [name, values] of state.entries()) {
      const stored = new ArrayBuffer(4 * piece.count);
      const wrong = storeFloats("F32", values, stored);
      if (wrong >= 0) return wrong;
      this.after[name]?.set(new Uint8Array(stored), at);
    }
    return -1;
  }
}

/** Says which new value does not fit the model's type. */
function beyondType(tensors: readonly TensorPlace[], { tensor, firstElement, dtype }: Piece, index: number): FlareError {
  const name = tensors[tensor]?.name ?? "";
  return new FlareError(
    "aggregate/out-of-range",
    `The new value of tensor ${quoted(name)} at element ${firstElement + index} is beyond ${dtype}.`,
    {
      facts: { tensor: name.slice(0, limits.peerTextChars), element: firstElement + index, dtype },
    },
  );
}

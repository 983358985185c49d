import { gridFor } from "../exact/exact-scale.js";
import { MeansOfBatch } from "../js/means-of-batch.js";
import { ValuesOfBatch } from "../js/values-of-batch.js";
import type { FoldInit, FoldUpdate } from "../session/arithmetic.js";
import type { Batch, Piece } from "../session/batches.js";
import type { TensorTotals } from "../session/fold-totals.js";
import type { ReusedBuffer } from "../session/read-pieces.js";
import { trimmedCount } from "../strategies/trimmed-mean.js";
import { isFloatDtype } from "../tensor.js";
import { type CombineDevice, runElements, type Tile } from "./combine-device.js";
import { inSmallerTiles } from "./in-smaller-tiles.js";
import type { StoredPieces } from "./stored-pieces.js";
import { layRows, type RowPiece, type TileRows } from "./tile-rows.js";

export interface BatchOnDeviceInit {
  readonly device: CombineDevice;
  readonly rows: TileRows;
  readonly mode: "exact" | "fast";
  /** Where sums are exact and no scale was announced, all updates have their maxima. */
  readonly init: FoldInit;
  readonly totals: readonly TensorTotals[];
  readonly batch: Batch;
  readonly room: BatchRoom;
}

/** Memory for one batch, used again for the next. */
export interface BatchRoom {
  /** Takes combined values. */
  readonly combined: ReusedBuffer;
  /** Takes the bytes of what needs nothing more. */
  readonly stored: StoredPieces;
  /** Takes what the device gives. */
  readonly results: ReusedBuffer;
}

/** Combines one batch on a device: tensors with the same senders together, float64 by plain JavaScript. */
export class BatchOnDevice {
  readonly #device: CombineDevice;
  readonly #mode: "exact" | "fast";
  readonly #init: FoldInit;
  readonly #totals: readonly TensorTotals[];
  readonly #batch: Batch;
  readonly #rows: TileRows;
  readonly #room: BatchRoom;
  /** Index is that among the batch's elements. */
  readonly #combined: Float64Array;

  constructor({ device, rows, mode, init, totals, batch, room }: BatchOnDeviceInit) {
    this.#device = device;
    this.#rows = rows;
    this.#mode = mode;
    this.#init = init;
    this.#totals = totals;
    this.#batch = batch;
    this.#room = room;
    this.#combined = new Float64Array(room.combined.of(Float64Array.BYTES_PER_ELEMENT * batch.elements).buffer, 0, batch.elements);
  }

  /** Gives the combined value of each floating element of the batch that is not stored already. @throws as `CombineDevice` */
  async run(): Promise<Float64Array> {
    this.#room.stored.clear();
    const groups = new Map<string, Piece[]>();
    const wide: Piece[] = [];
    for (const piece of this.#batch.pieces) {
      const totals = this.#totals[piece.tensor];
      if (!isFloatDtype(piece.dtype) || totals?.isCombined !== true) continue;
      if (piece.dtype === "F64") wide.push(piece);
      else {
        const key = totals.senders.join();
        groups.set(key, [...(groups.get(key) ?? []), piece]);
      }
    }
    for (const pieces of groups.values()) await this.#combine(pieces);
    if (wide.length > 0) await this.#byJavaScript(wide);
    return this.#combined;
  }

  /** The same by plain JavaScript, exactly. */
  async onCpu(): Promise<Float64Array> {
    this.#room.stored.clear();
    await this.#byJavaScript(this.#batch.pieces);
    return this.#combined;
  }

  async #byJavaScript(pieces: readonly Piece[]): Promise<void> {
    const { combine } = this.#init;
    const fold = combine.kind === "mean" ? new MeansOfBatch(this.#init, this.#totals) : new ValuesOfBatch(this.#init, this.#totals);
    const combined = await fold.combine({ ...this.#batch, pieces });
    for (const { element, count } of pieces) this.#combined.set(combined.subarray(element, element + count), element);
  }

  async #combine(pieces: readonly Piece[]): Promise<void> {
    const totals = this.#totals[pieces[0]?.tensor ?? -1];
    const senders = (totals?.senders ?? []).flatMap((i) => this.#init.updates[i] ?? []);
    if (totals === undefined || senders.length === 0) {
      for (const { element, count } of pieces) this.#combined.fill(0, element, element + count);
      return;
    }
    const laid = layRows(pieces);
    const rows = await this.#rows.read(senders, laid);
    try {
      if (this.#init.combine.kind !== "mean") this.#take(laid.pieces, await this.#middle(rows));
      else if (this.#mode === "fast") {
        const factors = senders.map(({ factor }) => factor / totals.weight);
        const intoOf = this.#intoFor(rows, Float32Array.BYTES_PER_ELEMENT);
        this.#take(laid.pieces, await inSmallerTiles(rows, (tile) => this.#device.weightedSum(tile, factors, intoOf(tile)), joined));
      } else await this.#exact(laid.pieces, rows, senders, totals.weight);
    } finally {
      rows.giveBack();
    }
  }

  #middle(tile: Tile): Promise<Float32Array> {
    const { combine } = this.#init;
    const intoOf = this.#intoFor(tile, Float32Array.BYTES_PER_ELEMENT);
    if (combine.kind !== "trimmed-mean") return inSmallerTiles(tile, (each) => this.#device.median(each, intoOf(each)), joined);
    const cut = trimmedCount(combine.fraction, tile.values.length);
    return inSmallerTiles(tile, (each) => this.#device.trimmedMean(each, cut, intoOf(each)), joined);
  }

  /** Memory for the results of a whole tile; those of its halves are there at the same time. */
  #intoFor(whole: Tile, bytesOfElement: number): (tile: Tile) => ArrayBuffer | undefined {
    const { buffer } = this.#room.results.of(bytesOfElement * (whole.values[0]?.length ?? 0));
    return (tile) => (tile === whole ? buffer : undefined);
  }

  async #exact(pieces: readonly RowPiece[], tile: Tile, senders: readonly FoldUpdate[], weight: number): Promise<void> {
    const { announced } = this.#init;
    const gridBits = new Int32Array((tile.values[0]?.length ?? 0) / runElements);
    for (const { piece, at } of pieces) {
      const largest = senders.reduce((most, { factor, maxima }) => Math.max(most, (maxima?.of(piece) ?? 0) * Math.abs(factor)), 0);
      const bits = announced?.[piece.tensor] ?? (Number.isFinite(largest) ? gridFor(largest) : 0);
      gridBits.fill(bits, at / runElements, (at + Math.ceil(piece.count / runElements) * runElements) / runElements);
    }
    const factors = senders.map(({ factor }) => factor);
    const intoOf = this.#intoFor(tile, BigInt64Array.BYTES_PER_ELEMENT);
    const sums = await inSmallerTiles(
      tile,
      (each, from) => {
        const first = from / runElements;
        const grids = gridBits.subarray(first, first + (each.values[0]?.length ?? 0) / runElements);
        return this.#device.exactSum(each, factors, grids, intoOf(each));
      },
      bothSums,
    );
    for (const { piece, at } of pieces) {
      const divisor = weight * 2 ** (gridBits[at / runElements] ?? 0);
      const means = this.#combined.subarray(piece.element, piece.element + piece.count);
      divideInto(means, sums.subarray(at, at + piece.count), divisor);
      this.#room.stored.store(piece, means);
    }
  }

  #take(pieces: readonly RowPiece[], combined: Float32Array): void {
    for (const { piece, at } of pieces) {
      const values = combined.subarray(at, at + piece.count);
      if (!this.#room.stored.store(piece, values)) this.#combined.set(values, piece.element);
    }
  }
}

/** The halves of sums are put together with the one rounding that a conversion of the whole would have, at an eighth of its time. */
function divideInto(means: Float64Array, sums: BigInt64Array, divisor: number): void {
  const { length } = means;
  const lower = new Uint32Array(sums.buffer, sums.byteOffset, 2 * length);
  const upper = new Int32Array(sums.buffer, sums.byteOffset, 2 * length);
  for (let i = 0, word = 0; i < length; i++, word += 2)
    means[i] = ((upper[word + 1] as number) * 4_294_967_296 + (lower[word] as number)) / divisor;
}

function bothSums(first: BigInt64Array, second: BigInt64Array): BigInt64Array {
  const both = new BigInt64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

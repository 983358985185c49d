import { PieceValues } from "../js/piece-values.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import type { Piece } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import { type CombineDevice, runElements } from "./combine-device.js";

/** A piece and where it begins in the rows of a tile. */
export interface RowPiece {
  readonly piece: Piece;
  readonly at: number;
}

/** Pieces as they lie in the rows of a tile, and the length of a row. */
export interface LaidRows {
  readonly pieces: readonly RowPiece[];
  readonly length: number;
}

/** Lays pieces out in runs. */
export function layRows(pieces: readonly Piece[]): LaidRows {
  let length = 0;
  const laid = pieces.map((piece) => {
    const at = length;
    length += Math.ceil(piece.count / runElements) * runElements;
    return { piece, at };
  });
  return { pieces: laid, length };
}

/** From so many bytes of a tensor on, a read of their own costs less than a copy. */
const leastBytesOfRead = 2 ** 16;

/** The rows of one tile, filled. */
export interface FilledRows {
  readonly values: readonly Float32Array[];
  /** Says that nobody looks at them any more. */
  giveBack(): void;
}

/**
 * Fills rows of tiles, where the device fetches them if it lends such memory, else again and again in the same arrays: a fresh one of
 * some MiB costs more than what is read into it.
 */
export class TileRows {
  readonly #device: Pick<CombineDevice, "lend">;
  readonly #idle: Float32Array[] = [];
  readonly #values = new PieceValues();

  constructor(device: Pick<CombineDevice, "lend">) {
    this.#device = device;
  }

  /** Reads what updates hold of pieces of float32 and less; zeros where one lacks a tensor. */
  async read(updates: readonly ReadableUpdate[], laid: LaidRows): Promise<FilledRows> {
    const rows = (await this.#lent(updates.length, laid.length)) ?? this.#own(updates.length, laid.length);
    // Also where one fails all are waited for: the rows belong to somebody else once they are given back.
    const read = await Promise.allSettled(updates.map((update, i) => this.#readRow(update, laid, rows.values[i] as Float32Array)));
    for (const outcome of read) {
      if (outcome.status === "fulfilled") continue;
      rows.giveBack();
      throw outcome.reason;
    }
    return rows;
  }

  async #lent(updates: number, elements: number): Promise<FilledRows | undefined> {
    const lent = await this.#device.lend?.(updates, elements);
    return lent === undefined ? undefined : { values: lent.values, giveBack: () => lent.release() };
  }

  #own(updates: number, elements: number): FilledRows {
    const values = Array.from({ length: updates }, () => this.#take(elements));
    return { values, giveBack: () => void this.#idle.push(...values) };
  }

  /** A row that holds anything. */
  #take(length: number): Float32Array {
    const at = this.#idle.findIndex((row) => row.buffer.byteLength >= 4 * length);
    const [idle] = at < 0 ? [] : this.#idle.splice(at, 1);
    return idle === undefined ? new Float32Array(length) : new Float32Array(idle.buffer, 0, length);
  }

  async #readRow(update: ReadableUpdate, { pieces }: LaidRows, row: Float32Array): Promise<void> {
    const rest: RowPiece[] = [];
    for (const some of tensorsOf(pieces)) {
      const [first] = some;
      if (first === undefined) continue;
      const stored = update.stored[first.piece.tensor];
      const count = some.reduce((sum, { piece }) => sum + piece.count, 0);
      if (stored?.kind === "plain" && stored.dtype === "F32" && 4 * count >= leastBytesOfRead) {
        const bytes = new Uint8Array(row.buffer, row.byteOffset + 4 * first.at, 4 * count);
        await update.source.read(bytes, stored.offset + 4 * first.piece.firstElement);
        row.fill(0, first.at + count, endOf(first.at + count));
      } else rest.push(...some);
    }
    if (rest.length > 0) await this.#readThroughBuffer(update, rest, row);
  }

  async #readThroughBuffer(update: ReadableUpdate, pieces: readonly RowPiece[], row: Float32Array): Promise<void> {
    const plan = planReads(
      update.stored,
      pieces.map(({ piece }) => piece),
    );
    const bytes = new Uint8Array(plan.bytes);
    await readPieces(update.source, plan, bytes);
    for (const [index, { piece, at }] of pieces.entries()) {
      const place = plan.pieces[index];
      const count = place === undefined ? 0 : piece.count;
      if (place !== undefined) row.set(this.#values.floats(bytes, place, piece), at);
      row.fill(0, at + count, endOf(at + piece.count));
    }
  }
}

/** Pieces of one tensor that follow each other there, together; as pieces are whole runs but the last, they do so in a row too. */
function* tensorsOf(pieces: readonly RowPiece[]): Generator<readonly RowPiece[]> {
  let some: RowPiece[] = [];
  for (const each of pieces) {
    const last = some.at(-1);
    const isNext =
      last !== undefined &&
      last.piece.tensor === each.piece.tensor &&
      last.piece.firstElement + last.piece.count === each.piece.firstElement &&
      last.at + last.piece.count === each.at;
    if (last !== undefined && !isNext) {
      yield some;
      some = [];
    }
    some.push(each);
  }
  if (some.length > 0) yield some;
}

/** Where the run ends that an element would be in, or the one that ends there. */
function endOf(at: number): number {
  return Math.ceil(at / runElements) * runElements;
}

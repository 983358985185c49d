import { batchBytes, type Piece } from "../session/batches.js";

/** The new bytes of one batch, of which those pieces are in place whose combined values need nothing but a rounding to float32. */
export class StoredPieces {
  /** As packed as the batch's pieces. */
  readonly bytes = new Uint8Array(batchBytes);
  readonly #isPlain: (piece: Piece) => boolean;
  readonly #stored = new Set<Piece>();

  /** @param isPlain - whether a piece's combined values, rounded to its type, are the new ones */
  constructor(isPlain: (piece: Piece) => boolean) {
    this.#isPlain = isPlain;
  }

  /** Stores a piece's combined values, unless they have to go the long way; says whether it did. */
  store(piece: Piece, values: Float32Array | Float64Array): boolean {
    if (piece.dtype !== "F32" || piece.at % Float32Array.BYTES_PER_ELEMENT !== 0 || !this.#isPlain(piece)) return false;
    const place = new Float32Array(this.bytes.buffer, piece.at, piece.count);
    // It rounds to nearest, ties to even, in a fifth of the time of a loop.
    place.set(values);
    if (!areFinite(place)) return false;
    this.#stored.add(piece);
    return true;
  }

  has(piece: Piece): boolean {
    return this.#stored.has(piece);
  }

  /** For the next batch, or to begin again. */
  clear(): void {
    this.#stored.clear();
  }
}

function areFinite(values: Float32Array): boolean {
  // Once anything was detached in a process, as by each call of a GPU, reading a length takes longer than the rest of such a loop.
  const { length } = values;
  // Infinity less itself is not a number, and no number is unlike itself.
  for (let i = 0; i < length; i++) if ((values[i] as number) - (values[i] as number) !== 0) return false;
  return true;
}

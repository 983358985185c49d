import { decodeBf16, decodeF16 } from "../half-floats.js";
import type { Piece } from "../session/batches.js";
import type { StoredPiece } from "../session/plan-reads.js";
import { ReusedBuffer } from "../session/read-pieces.js";
import { type Dtype, dtypeBytes, type TensorData, viewOf } from "../tensor.js";

/** Shows stored bytes as elements. What it gives is valid until it is asked again. */
export class PieceValues {
  readonly #aligned = new ReusedBuffer();
  readonly #decoded = new ReusedBuffer();

  /** Elements as they are stored; copied only where they lie on an odd place. */
  raw(buffer: Uint8Array, at: number, dtype: Dtype, count: number): TensorData {
    const from = buffer.byteOffset + at;
    const size = dtypeBytes[dtype];
    if (from % size === 0) return viewOf(dtype, buffer.buffer, from, count);
    const aligned = this.#aligned.of(count * size);
    aligned.set(buffer.subarray(at, at + count * size));
    return viewOf(dtype, aligned.buffer, 0, count);
  }

  /** Elements of a floating piece; what is stored in fewer bits is decoded, to the nearest float32. */
  floats(buffer: Uint8Array, { stored, at, companionAt, count }: StoredPiece, piece: Piece): Float32Array | Float64Array {
    if (stored.kind === "plain") {
      const raw = this.raw(buffer, at, stored.dtype, count);
      if (raw instanceof Float64Array || raw instanceof Float32Array) return raw;
      const decoded = new Float32Array(this.#decoded.of(4 * count).buffer, 0, count);
      if (stored.dtype === "F16") decodeF16(raw as Uint16Array, decoded);
      else decodeBf16(raw as Uint16Array, decoded);
      return decoded;
    }
    const decoded = new Float32Array(this.#decoded.of(4 * piece.count).buffer, 0, piece.count);
    if (stored.kind === "int8") {
      // A piece that is smaller than a block of scales may begin inside of one.
      const before = piece.firstElement % stored.block;
      const scales = floatsAt(buffer, companionAt, Math.ceil((before + piece.count) / stored.block));
      for (let i = 0; i < piece.count; i++) {
        const q = ((buffer[at + i] as number) << 24) >> 24;
        decoded[i] = (scales[Math.floor((before + i) / stored.block)] as number) * q;
      }
      return decoded;
    }
    decoded.fill(0);
    const values = floatsAt(buffer, at, count);
    const bytes = new DataView(buffer.buffer, buffer.byteOffset);
    for (let i = 0; i < count; i++) {
      // What is stored is that of the whole block, of which the piece may be a part.
      const element = bytes.getInt32(companionAt + 4 * i, true) - piece.firstElement;
      if (element >= 0 && element < piece.count) decoded[element] = values[i] as number;
    }
    return decoded;
  }
}

/** A copy: these are few, and may lie on an odd place. */
function floatsAt(buffer: Uint8Array, at: number, count: number): Float32Array {
  return new Float32Array(new Uint8Array(buffer.subarray(at, at + 4 * count)).buffer);
}

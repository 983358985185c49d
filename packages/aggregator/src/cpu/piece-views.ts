import { decodeBf16, decodeF16 } from "../half-floats.js";
import { dtypeBytes, type TensorData, viewOf } from "../tensor.js";
import { batchBytes, batchElements, type Piece } from "./batches.js";

/** Shows a batch's bytes as elements. A view is valid until the next one is asked for. */
export class PieceViews {
  #aligned: ArrayBuffer | undefined;
  #decoded: Float32Array | undefined;

  /** The piece's elements as they are; copied only where packing has left them on an odd place. */
  raw(buffer: Uint8Array, { dtype, at, count }: Piece): TensorData {
    const from = buffer.byteOffset + at;
    const size = dtypeBytes[dtype];
    if (from % size === 0) return viewOf(dtype, buffer.buffer, from, count);
    this.#aligned ??= new ArrayBuffer(batchBytes);
    new Uint8Array(this.#aligned).set(buffer.subarray(at, at + count * size));
    return viewOf(dtype, this.#aligned, 0, count);
  }

  /** The elements of a floating piece; the 16-bit types are decoded, which is exact. */
  floats(buffer: Uint8Array, piece: Piece): Float32Array | Float64Array {
    const raw = this.raw(buffer, piece);
    if (raw instanceof Float64Array || raw instanceof Float32Array) return raw;
    this.#decoded ??= new Float32Array(batchElements);
    const decoded = this.#decoded.subarray(0, piece.count);
    if (piece.dtype === "F16") decodeF16(raw as Uint16Array, decoded);
    else decodeBf16(raw as Uint16Array, decoded);
    return decoded;
  }
}

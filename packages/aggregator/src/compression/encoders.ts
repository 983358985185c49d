import { decodeBf16, decodeF16, shortenFloats } from "../half-floats.js";

/** What became of some elements. */
export interface EncodedElements {
  readonly bytes: Uint8Array;
  /** What the bytes decode to. */
  readonly decoded: Float32Array;
  /** Index of an element that the form cannot hold, or -1. */
  readonly wrong: number;
}

/** Encodes one tensor, chunk after chunk. */
export interface TensorEncoder {
  encode(values: Float32Array): EncodedElements;
  /** What stands behind the tensor: its scales, or nothing. */
  companion(): Uint8Array;
}

/** Rounds to a type of 16 bits. */
export function encodeShort(dtype: "F16" | "BF16"): TensorEncoder {
  return {
    encode: (values) => {
      const bits = new Uint16Array(values.length);
      const decoded = new Float32Array(values.length);
      const wrong = shortenFloats(dtype, values, bits);
      (dtype === "F16" ? decodeF16 : decodeBf16)(bits, decoded);
      return { bytes: new Uint8Array(bits.buffer), decoded, wrong };
    },
    companion: () => new Uint8Array(0),
  };
}

/** Whole multiples, from -127 to 127, of a scale for each block: its largest magnitude / 127. Chunks are whole blocks but for the last. */
export class Int8Encoder implements TensorEncoder {
  readonly #block: number;
  readonly #scales: number[] = [];

  constructor(block: number) {
    this.#block = block;
  }

  encode(values: Float32Array): EncodedElements {
    const bytes = new Int8Array(values.length);
    const decoded = new Float32Array(values.length);
    for (let from = 0; from < values.length; from += this.#block) {
      const end = Math.min(values.length, from + this.#block);
      let largest = 0;
      for (let i = from; i < end; i++) largest = Math.max(largest, Math.abs(values[i] as number));
      const scale = Math.fround(largest / 127);
      this.#scales.push(scale);
      for (let i = from; i < end; i++) {
        const q = scale === 0 ? 0 : Math.max(-127, Math.min(127, nearestEven((values[i] as number) / scale)));
        bytes[i] = q;
        decoded[i] = scale * q;
      }
    }
    return { bytes: new Uint8Array(bytes.buffer), decoded, wrong: -1 };
  }

  companion(): Uint8Array {
    return new Uint8Array(Float32Array.from(this.#scales).buffer);
  }
}

/** The nearest whole number of magnitude below 2^51, ties to even. */
function nearestEven(value: number): number {
  const magic = 1.5 * 2 ** 52;
  return value + magic - magic;
}

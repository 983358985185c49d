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

/**
 * Whole multiples, from -127 to 127, of a scale for each block: its largest magnitude / 127, as `shortScale` rounds it. Chunks are
 * whole blocks but for the last.
 */
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
      const scale = shortScale(largest / 127);
      this.#scales.push(scale);
      for (let i = from; i < end; i++) {
        const q = scale === 0 ? 0 : Math.max(-127, Math.min(127, nearestEven((values[i] as number) / scale)));
        bytes[i] = q;
        decoded[i] = scale * q;
      }
      // The scale was rounded up: at the end of float32's range its largest multiple lies beyond.
      if (Math.fround(scale * 127) === Infinity)
        return { bytes: new Uint8Array(bytes.buffer), decoded, wrong: decoded.findIndex(isBeyond) };
    }
    return { bytes: new Uint8Array(bytes.buffer), decoded, wrong: -1 };
  }

  companion(): Uint8Array {
    return new Uint8Array(Float32Array.from(this.#scales).buffer);
  }
}

function isBeyond(value: number): boolean {
  return !Number.isFinite(value);
}

/** What rounds a scale up to 12 significant bits, of the 24 that float32 has. */
const shortenedBits = 2 ** 12;

/**
 * A scale of at most 12 significant bits, at most 2^-11 larger than what is asked for. Its products with whole numbers to 127 then are
 * rounded nowhere, and kernels sum them as integers. Subnormal scales have few bits anyway, and are the nearest float32.
 */
function shortScale(least: number): number {
  const [scale = 0] = Float32Array.of(least);
  if (scale < 2 ** -126) return scale;
  const bits = new Uint32Array(Float32Array.of(scale).buffer);
  bits[0] = Math.ceil((bits[0] ?? 0) / shortenedBits) * shortenedBits;
  return new Float32Array(bits.buffer)[0] ?? 0;
}

/** The nearest whole number of magnitude below 2^51, ties to even. */
function nearestEven(value: number): number {
  const magic = 1.5 * 2 ** 52;
  return value + magic - magic;
}

import { type Mask, MaskStream } from "./mask.js";

/** Words of keystream that are made together. */
const chunkWords = 32_768;

/** All masks of an update, or of a sum, from their first word on. */
export class MaskStreams {
  readonly #streams: readonly { readonly sign: 1 | -1; readonly stream: MaskStream }[];
  readonly #zeros = new Uint8Array(8 * chunkWords);

  constructor(masks: readonly Mask[]) {
    this.#streams = masks.map((mask) => ({ sign: mask.sign, stream: new MaskStream(mask) }));
  }

  /** Adds the next words of all masks to words, modulo 2^64. Gives them as bytes. */
  add(words: BigInt64Array): Uint8Array {
    return this.#apply(words, 1);
  }

  /** Takes the next words of all masks away from words. */
  remove(words: BigInt64Array): void {
    this.#apply(words, -1);
  }

  #apply(words: BigInt64Array, direction: 1 | -1): Uint8Array {
    for (let from = 0; from < words.length; from += chunkWords) {
      const some = words.subarray(from, from + chunkWords);
      for (const { sign, stream } of this.#streams) {
        const bytes = Uint8Array.from(stream.next(this.#zeros.subarray(0, 8 * some.length)));
        const mask = new BigInt64Array(bytes.buffer);
        if (sign === direction) for (let i = 0; i < some.length; i++) some[i] = (some[i] as bigint) + (mask[i] as bigint);
        else for (let i = 0; i < some.length; i++) some[i] = (some[i] as bigint) - (mask[i] as bigint);
      }
    }
    return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  }
}

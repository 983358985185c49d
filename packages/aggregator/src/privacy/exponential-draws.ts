import { Keystream } from "../secure/keystream.js";

const wordsPerDraw = 4;
/** Draws of which the keystream is made together. */
const drawsPerPiece = 512;

/**
 * Random numbers that follow from a seed: whoever begins again with it gets the same ones, so that none has to be kept. Each is made of 16
 * bytes of a keystream. As the leading zeros of 64 bits and 48 bits more make a uniform number, those next to 0 are as fine as any, and no
 * outcome that is rarer than 2^-53 is cut off.
 */
export class ExponentialDraws {
  /** Made of bits that the last number was not made of: 0 to 65,535, each as likely. */
  rank = 0;
  readonly #stream: Keystream;
  readonly #bytes = new Uint8Array(4 * wordsPerDraw * drawsPerPiece);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  #at = this.#words.length;

  /** @param seed - 32 secret bytes that serve for nothing else */
  constructor(seed: Uint8Array) {
    this.#stream = new Keystream(seed);
  }

  /** A number of the exponential distribution of mean 1. */
  exponential(): number {
    const fraction = this.uniform();
    const first = Math.clz32(this.#words[this.#at - 4] as number);
    const zeros = first < 32 ? first : 32 + Math.clz32(this.#words[this.#at - 3] as number);
    return zeros * Math.LN2 - Math.log(1 - fraction / 2);
  }

  /** A multiple of 2^-48 of at least 0 and below 1. */
  uniform(): number {
    if (this.#at === this.#words.length) {
      this.#stream.writeNext(this.#bytes);
      this.#at = 0;
    }
    this.#at += wordsPerDraw;
    const last = this.#words[this.#at - 1] as number;
    this.rank = last & 0xffff;
    return ((this.#words[this.#at - 2] as number) * 2 ** 16 + (last >>> 16)) * 2 ** -48;
  }
}

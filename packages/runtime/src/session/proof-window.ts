/** What a sequence number is to a window: not seen so far, seen before, or so far back that nobody can tell. */
export type WindowOutcome = "new" | "seen" | "too-old";

/**
 * Lets each sequence number through once, in whatever order they come, as long as none is overtaken by more than `size`
 * others. The memory does not depend on how many there were.
 *
 * @see RFC 6479, the sliding window of IPsec
 */
export class ProofWindow {
  readonly #size: number;
  readonly #bits: Uint32Array;
  #highest = 0;

  /** @param size a power of two from 32 */
  constructor(size: number) {
    this.#size = size;
    this.#bits = new Uint32Array(size / wordBits);
  }

  /** Takes note of a number, from 1 on. */
  take(sequence: number): WindowOutcome {
    if (sequence + this.#size <= this.#highest) return "too-old";
    this.#slideTo(sequence);
    const slot = sequence % this.#size;
    const word = this.#bits[Math.floor(slot / wordBits)] ?? 0;
    const bit = 1 << (slot % wordBits);
    if ((word & bit) !== 0) return "seen";
    this.#bits[Math.floor(slot / wordBits)] = word | bit;
    return "new";
  }

  #slideTo(sequence: number): void {
    if (sequence <= this.#highest) return;
    if (sequence - this.#highest >= this.#size) this.#bits.fill(0);
    else for (let next = this.#highest + 1; next <= sequence; next++) this.#clear(next % this.#size);
    this.#highest = sequence;
  }

  #clear(slot: number): void {
    const at = Math.floor(slot / wordBits);
    this.#bits[at] = (this.#bits[at] ?? 0) & ~(1 << (slot % wordBits));
  }
}

const wordBits = 32;

import type { ValueFilter } from "./value-filter.js";

/** Magnitudes are counted by the upper 15 bits of a float32 without its sign, then by its lower 16 bits. */
const upperBins = 2 ** 15;
const lowerBins = 2 ** 16;

/**
 * Sets the values of the smallest magnitudes to zero and cuts all others at a bound. The cut-off is the percentile as NumPy's
 * `percentile` has it, over all floating tensors together: of magnitudes rounded to float32, what lies below it is dropped. Exact for
 * every size, in two looks and 0.8 MB.
 *
 * @see Shokri, Shmatikov, "Privacy-Preserving Deep Learning", CCS 2015
 */
export class PercentileFilter implements ValueFilter {
  readonly looks = 2;
  readonly #percentile: number;
  readonly #gamma: number;
  readonly #upper = new Float64Array(upperBins);
  readonly #lower = new Float64Array(lowerBins);
  #count = 0;
  #words = new Uint32Array();
  /** The bin that holds the element of the wanted rank, and how many lie in bins below. */
  #bin = 0;
  #below = 0;
  /** Magnitudes of at least so many bits of a float32 stay. */
  #least = 0;

  /**
   * @param percentile - 0 to 100
   * @param gamma - largest magnitude that a value keeps; above 0
   */
  constructor({ percentile, gamma }: { readonly percentile: number; readonly gamma: number }) {
    this.#percentile = percentile;
    this.#gamma = gamma;
  }

  look(values: Float64Array, turn: number): void {
    const words = this.#magnitudes(values);
    if (turn === 0) {
      this.#count += words.length;
      for (let i = 0; i < words.length; i++) (this.#upper[(words[i] as number) >>> 16] as number) += 1;
      return;
    }
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      if (word >>> 16 === this.#bin) (this.#lower[word & (lowerBins - 1)] as number) += 1;
    }
  }

  looked(turn: number): void {
    const place = (Math.max(0, this.#count - 1) * this.#percentile) / 100;
    const rank = Math.floor(place);
    if (turn === 0) [this.#bin, this.#below] = binOf(this.#upper, rank, 0);
    else {
      const [low, below] = binOf(this.#lower, rank, this.#below);
      const atRank = this.#bin * lowerBins + low;
      // Between two elements of different magnitude, the percentile is above the lower one.
      const isAboveIt = place > rank && below + (this.#lower[low] ?? 0) === rank + 1;
      this.#least = isAboveIt ? atRank + 1 : atRank;
    }
  }

  change(values: Float64Array): void {
    const words = this.#magnitudes(values);
    for (let i = 0; i < values.length; i++) {
      if ((words[i] as number) < this.#least) values[i] = 0;
      else values[i] = Math.max(-this.#gamma, Math.min(this.#gamma, values[i] as number));
    }
  }

  /** Bits of the magnitudes as float32, which are in the order of the magnitudes; until the next chunk. */
  #magnitudes(values: Float64Array): Uint32Array {
    if (this.#words.length < values.length) this.#words = new Uint32Array(values.length);
    const words = this.#words.subarray(0, values.length);
    new Float32Array(words.buffer, 0, words.length).set(values);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & 0x7fffffff;
    return words;
  }
}

/** The bin that holds the element of a rank, and how many elements lie before it; `before` of them lie before the first bin. */
function binOf(counts: Float64Array, rank: number, before: number): readonly [number, number] {
  let below = before;
  for (let bin = 0; bin < counts.length; bin++) {
    const next = below + (counts[bin] as number);
    if (next > rank) return [bin, below];
    below = next;
  }
  return [0, before];
}

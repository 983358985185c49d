/** Magnitudes are told apart by exponent and 7 bits more: the upper half of a float32 without its sign. */
const bins = 32_768;

/** Elements that were chosen of some. */
export interface ChosenElements {
  /** Counted from the first element of the tensor. */
  readonly indices: Int32Array;
  readonly values: Float32Array;
  /** All elements, zero where they were not chosen. */
  readonly decoded: Float32Array;
}

/**
 * Chooses the elements of a tensor with the largest magnitudes, in passes over its chunks: the first counts magnitudes, those after
 * `restart` choose. Of elements whose magnitudes cannot be told apart the first ones are taken; zeros never are.
 */
export class LargestElements {
  readonly #most: number;
  /** Until the first `restart`: a model has many tensors, of which each would hold 256 KB. */
  #histogram: Float64Array | undefined = new Float64Array(bins);
  /** Nothing was counted outside of these bins. */
  #lowest = bins;
  #highest = -1;
  #threshold = bins;
  #atThreshold = 0;
  #count = 0;
  #element = 0;
  #taken = 0;

  /** @param most - how many are chosen, if so many are not zero */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many are chosen; known once all chunks were counted. */
  get count(): number {
    return this.#count;
  }

  /** Counts a chunk's magnitudes. */
  countMagnitudes(values: Float32Array): void {
    const histogram = this.#histogram;
    if (histogram === undefined) return;
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    let lowest = this.#lowest;
    let highest = this.#highest;
    for (let i = 0; i < words.length; i++) {
      if (values[i] !== 0) {
        const bin = ((words[i] as number) >>> 16) & (bins - 1);
        histogram[bin] = (histogram[bin] as number) + 1;
        if (bin < lowest) lowest = bin;
        if (bin > highest) highest = bin;
      }
    }
    this.#lowest = lowest;
    this.#highest = highest;
  }

  /** Goes back to the first chunk, to choose. */
  restart(): void {
    this.#element = 0;
    this.#taken = 0;
    if (this.#histogram !== undefined) this.#setThreshold(this.#histogram);
    this.#histogram = undefined;
  }

  #setThreshold(histogram: Float64Array): void {
    let above = 0;
    let threshold = this.#highest + 1;
    while (threshold > this.#lowest) {
      const more = histogram[threshold - 1] as number;
      if (above + more > this.#most) break;
      above += more;
      threshold -= 1;
    }
    const isAll = threshold <= this.#lowest;
    this.#threshold = isAll ? 0 : threshold;
    // What is left of the share is taken from the bin below.
    this.#atThreshold = isAll ? 0 : this.#most - above;
    this.#count = above + this.#atThreshold;
  }

  /** Chooses among the next chunk's elements. */
  next(values: Float32Array): ChosenElements {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const indices: number[] = [];
    const decoded = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      const bin = ((words[i] as number) >>> 16) & (bins - 1);
      const isTaken = bin >= this.#threshold || (bin === this.#threshold - 1 && this.#taken < this.#atThreshold);
      if (!isTaken) continue;
      if (bin < this.#threshold) this.#taken += 1;
      indices.push(i);
      decoded[i] = values[i] as number;
    }
    const chosen = {
      indices: Int32Array.from(indices, (i) => this.#element + i),
      values: Float32Array.from(indices, (i) => values[i] as number),
      decoded,
    };
    this.#element += values.length;
    return chosen;
  }
}

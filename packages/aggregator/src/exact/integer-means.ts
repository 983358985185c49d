/** Values of an integer tensor as they lie in a file. */
export type IntegerData = BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/**
 * Weighted means of integers, rounded to the nearest integer, ties to even; exact, so independent of the order of the terms.
 * Sums below 2^53 are made in float64, larger ones with BigInt, with the same result.
 */
export class IntegerSums {
  readonly #isPlain: boolean;
  readonly #isWhole: boolean;
  readonly #plain: Float64Array;
  readonly #big: bigint[];
  readonly #total: bigint;

  /**
   * @param weights - of all terms that will be added
   * @param largest - largest absolute value in any term; `Infinity` for 64-bit tensors, which always take the slow way
   */
  constructor(count: number, weights: readonly number[], largest: number) {
    this.#isWhole = weights.every((weight) => Number.isSafeInteger(weight));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#isPlain = this.#isWhole && total * Math.max(1, largest) <= Number.MAX_SAFE_INTEGER;
    this.#total = weights.reduce((sum, weight) => sum + wholeWeight(weight, this.#isWhole), 0n);
    this.#plain = new Float64Array(this.#isPlain ? count : 0);
    this.#big = this.#isPlain ? [] : Array.from({ length: count }, () => 0n);
  }

  /** Adds weight × values. */
  add(values: IntegerData, weight: number): void {
    if (this.#isPlain && !(values instanceof BigInt64Array)) {
      const sums = this.#plain;
      for (let i = 0; i < values.length; i++) sums[i] = (sums[i] as number) + weight * (values[i] as number);
      return;
    }
    const whole = wholeWeight(weight, this.#isWhole);
    for (let i = 0; i < values.length; i++) this.#big[i] = (this.#big[i] as bigint) + whole * BigInt(values[i] as number | bigint);
  }

  /** Adds sums of weight × value that were made elsewhere, of weights that were whole numbers there. */
  addSums(sums: BigInt64Array): void {
    const one = wholeWeight(1, this.#isWhole);
    for (let i = 0; i < sums.length; i++) {
      if (this.#isPlain) this.#plain[i] = (this.#plain[i] as number) + Number(sums[i]);
      else this.#big[i] = (this.#big[i] as bigint) + one * (sums[i] as bigint);
    }
  }

  /** The sum of weight × value at an index; `undefined` where weights were not all whole numbers. */
  sum(index: number): bigint | undefined {
    return this.#isWhole ? this.#sumAt(index) : undefined;
  }

  /** The mean at an index. */
  mean(index: number): bigint {
    return divideRounded(this.#sumAt(index), this.#total);
  }

  #sumAt(index: number): bigint {
    return this.#isPlain ? BigInt(this.#plain[index] as number) : (this.#big[index] as bigint);
  }
}

/** The quotient rounded to the nearest integer, ties to even; the divisor is above 0. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const rest = ((dividend % divisor) + divisor) % divisor;
  const floor = (dividend - rest) / divisor;
  const twice = 2n * rest;
  return twice > divisor || (twice === divisor && (floor & 1n) === 1n) ? floor + 1n : floor;
}

/** Weights times one common power of two are integers: the smallest, 2^-100, has its last of 29 bits at 2^-128. */
function wholeWeight(weight: number, isWhole: boolean): bigint {
  if (isWhole) return BigInt(weight);
  return BigInt(weight * 2 ** 128);
}

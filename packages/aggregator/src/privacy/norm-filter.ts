import { addGaussianNoise, noiseGridStep, type RandomBytes } from "../strategies/gaussian-noise.js";
import type { ValueFilter } from "./value-filter.js";

export interface NormFilterInit {
  /** Largest Euclidean norm, over all floating tensors together. */
  readonly maxNorm: number;
  /** Noise on each value, where there is any: its standard deviation is a multiple of `maxNorm`. */
  readonly noise?: { readonly multiplier: number; readonly randomBytes: RandomBytes } | undefined;
}

/** What a norm may be off by, and what rounding may add to a value, relative to it. */
const shave = 1 - 2 ** -28;

/**
 * Shortens an update that is longer than allowed, and adds Gaussian noise to each value where that is asked for: the Gaussian mechanism.
 *
 * @see Dwork, Roth, "The Algorithmic Foundations of Differential Privacy", 2014, appendix A
 */
export class NormFilter implements ValueFilter {
  readonly looks = 1;
  readonly #init: NormFilterInit;
  #squares = 0;
  #count = 0;
  #factor = 1;

  constructor(init: NormFilterInit) {
    this.#init = init;
  }

  look(values: Float64Array): void {
    let squares = 0;
    for (let i = 0; i < values.length; i++) squares += (values[i] as number) ** 2;
    // Chunk by chunk, so that the rounding of long sums stays far below what is shaved off.
    this.#squares += squares;
    this.#count += values.length;
  }

  looked(): void {
    const { maxNorm, noise } = this.#init;
    const norm = Math.sqrt(this.#squares);
    // Noise rounds each value to its grid before: half a step each, which must not make the update longer than the noise is for.
    const rounding = noise === undefined ? 0 : (noiseGridStep(noise.multiplier * maxNorm) / 2) * Math.sqrt(this.#count);
    const most = Math.max(0, maxNorm * shave - rounding);
    this.#factor = norm <= most ? 1 : most / norm;
  }

  change(values: Float64Array): void {
    const { maxNorm, noise } = this.#init;
    if (this.#factor !== 1) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * this.#factor;
    if (noise !== undefined) addGaussianNoise(values, { deviation: noise.multiplier * maxNorm, randomBytes: noise.randomBytes });
  }
}

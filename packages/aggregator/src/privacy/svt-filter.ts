import { exponentAbove } from "../exact/weight.js";
import { seedBytes } from "../secure/keystream.js";
import type { RandomBytes } from "../strategies/gaussian-noise.js";
import { ExponentialDraws } from "./exponential-draws.js";
import { type SvtSettings, svtBudget } from "./svt-budget.js";
import type { ValueFilter } from "./value-filter.js";

export interface SvtFilterInit extends SvtSettings {
  /** Largest magnitude that a value has before its noise; above 0. */
  readonly gamma: number;
  /** The magnitude that values are compared with. */
  readonly tau: number;
  /** Whether as many values leave as that many draws with replacement hit, which is about 63% of them. */
  readonly replace: boolean;
  /** Cryptographic: all noise follows from 128 of them. */
  readonly randomBytes: RandomBytes;
}

/** Passes after which fewer values than may leave have to do: none of the others comes near the threshold. */
const mostPasses = 65_536;
/** Ranks of values that are found in the same pass. */
const ranks = 65_536;
/** Steps of the grid of released values in the scale of their noise, and at most in `gamma`, as powers of two. */
const gridBits = 24;
const mostGridBits = 50;

/**
 * Lets out a few of the largest changes, with noise, and sets all others to zero: the sparse vector technique. Every value is cut at ±γ,
 * so whatever the data are, its magnitude moves by at most γ and the value itself by 2γ. In an order that is drawn, magnitudes with fresh
 * noise of the scale 2cγ / ε₂ each are compared with τ and noise of the scale γ / ε₁; pass after pass over those that were below it,
 * until c were not. These leave with noise of the scale 2cγ / ε₃. All noise is of the Laplace distribution, and (ε₁ + ε₂ + ε₃, 0) is what the
 * update costs. Comparisons that say no are free, in whatever order and however many passes, but the c-th yes has to be the last one.
 *
 * No pass is carried out: in which one a value says yes, given the threshold, is of a geometric distribution, and so is drawn at once. The c
 * that are first in the order of passes, and of a random number within one, are the same as those of the literal loop. They are found in two
 * looks and 1 MB, since the draws of each value can be made again from a seed. What leaves is rounded to a grid, with noise that is of the
 * Laplace distribution on that grid: its last bits say nothing.
 *
 * @see Lyu, Su, Li, "Understanding the Sparse Vector Technique for Differential Privacy", VLDB 2017, algorithm 7
 * @see Li, Milletarì, Xu, Rieke et al., "Privacy-preserving Federated Brain Tumour Segmentation", MLMI at MICCAI 2019, for its use here
 * @see Ghosh, Roughgarden, Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms", STOC 2009, for noise on a grid
 */
export class SvtFilter implements ValueFilter {
  readonly looks = 2;
  readonly #gamma: number;
  /** Counts of values, by pass and by rank. */
  readonly #inPass = new Float64Array(mostPasses);
  readonly #atRank = new Float64Array(ranks);
  readonly #threshold: number;
  readonly #queryScale: number;
  readonly #querySeed: Uint8Array;
  #queries: ExponentialDraws;
  readonly #noise: ExponentialDraws;
  readonly #gridStep: number;
  /** The scale of the noise, and the largest value, in steps of the grid. */
  readonly #noiseSteps: number;
  readonly #mostSteps: number;
  /** Values that leave. */
  readonly #wanted: number;
  /** The last pass, and the last rank in it, of which values leave, and how many do of those. */
  #pass = mostPasses;
  #rank = ranks;
  #atEdge = 0;

  /** @param values - how many there are */
  constructor({ gamma, tau, replace, randomBytes, ...settings }: SvtFilterInit, values: number) {
    const { count, threshold, query, release } = svtBudget(settings, values);
    const seeds = Uint8Array.from(randomBytes(4 * seedBytes));
    const drawsOf = (part: number): ExponentialDraws => new ExponentialDraws(seedOf(seeds, part));
    this.#gamma = gamma;
    this.#threshold = tau + (gamma / threshold) * laplace(drawsOf(0));
    this.#wanted = replace ? distinctDraws(count, drawsOf(1)) : count;
    this.#queryScale = (2 * count * gamma) / query;
    this.#querySeed = seedOf(seeds, 2);
    this.#queries = new ExponentialDraws(this.#querySeed);
    this.#noise = drawsOf(3);
    const scale = (2 * count * gamma) / release;
    this.#gridStep = 2 ** Math.max(exponentAbove(scale) - gridBits, exponentAbove(gamma) - mostGridBits);
    this.#noiseSteps = scale / this.#gridStep;
    // Rounded down: the noise is for values that are no larger than gamma.
    this.#mostSteps = Math.floor(gamma / this.#gridStep);
  }

  look(values: Float64Array, turn: number): void {
    for (let i = 0; i < values.length; i++) {
      const pass = this.#passOf(values[i] as number);
      if (turn === 0) {
        if (pass < mostPasses) (this.#inPass[pass] as number) += 1;
      } else if (pass === this.#pass) (this.#atRank[this.#queries.rank] as number) += 1;
    }
  }

  looked(turn: number): void {
    this.#queries = new ExponentialDraws(this.#querySeed);
    if (turn === 0) [this.#pass, this.#atEdge] = edgeOf(this.#inPass, this.#wanted);
    else [this.#rank, this.#atEdge] = edgeOf(this.#atRank, this.#atEdge);
  }

  change(values: Float64Array): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      values[i] = this.#leaves(value) ? this.#released(value) : 0;
    }
  }

  /**
   * The pass in which the noisy magnitude of a value is not below the threshold, from 0 on; it takes the next draw. Not before `mostPasses`
   * where it is that or more.
   */
  #passOf(value: number): number {
    const drawn = this.#queries.exponential();
    const below = (this.#threshold - Math.min(this.#gamma, Math.abs(value))) / this.#queryScale;
    /** Logarithm of the probability to be below it once more. */
    const logBelow = below < 0 ? below - Math.LN2 : Math.log1p(-Math.exp(-below) / 2);
    const pass = Math.floor(drawn / -logBelow);
    return pass < mostPasses ? pass : mostPasses;
  }

  #leaves(value: number): boolean {
    const pass = this.#passOf(value);
    if (pass !== this.#pass) return pass < this.#pass;
    const { rank } = this.#queries;
    if (rank !== this.#rank) return rank < this.#rank;
    // Of values of one rank the first ones, which depends on no value either.
    this.#atEdge -= 1;
    return this.#atEdge >= 0;
  }

  #released(value: number): number {
    const steps = Math.max(-this.#mostSteps, Math.min(this.#mostSteps, Math.round(value / this.#gridStep)));
    // The difference of two numbers of a geometric distribution is of the Laplace distribution on whole numbers.
    const noise = Math.floor(this.#noise.exponential() * this.#noiseSteps) - Math.floor(this.#noise.exponential() * this.#noiseSteps);
    return (steps + noise) * this.#gridStep;
  }
}

/** Where a running count reaches what is wanted, and how many it takes from there; behind the last one where it does not. */
function edgeOf(counts: Float64Array, wanted: number): readonly [number, number] {
  let left = wanted;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    if (count >= left) return [i, left];
    left -= count;
  }
  return [counts.length, 0];
}

/** Noise of mean 0 and scale 1. */
function laplace(draws: ExponentialDraws): number {
  const magnitude = draws.exponential();
  return draws.rank % 2 === 0 ? magnitude : -magnitude;
}

/** How many of `count` things are hit by as many draws with replacement. */
function distinctDraws(count: number, draws: ExponentialDraws): number {
  let hit = 0;
  for (let i = 0; i < count; i++) if (draws.uniform() * count >= hit) hit += 1;
  return hit;
}

function seedOf(seeds: Uint8Array, part: number): Uint8Array {
  return seeds.subarray(part * seedBytes, (part + 1) * seedBytes);
}

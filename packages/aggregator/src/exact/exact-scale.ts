import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { exponentAbove } from "./weight.js";

/**
 * The grid on which a tensor's terms are summed: every term `weight × value` is rounded to a whole multiple of 2^-gridBits.
 * In the terms of the usual description, S fractional bits after weights were divided by 2^k, gridBits is S - k.
 */
export interface ExactScale {
  /** By name of the tensor; integer tensors need none. */
  readonly gridBits: Readonly<Record<string, number>>;
}

/** Terms that one sum has headroom for: each is below 2^51 grid steps and a sum below 2^63. */
export const maxContributors: number = limits.contributors;

export function tooManyContributors(): FlareError {
  return new FlareError("aggregate/too-many-contributors", `More than ${maxContributors} contributors.`, {
    facts: { limit: maxContributors },
  });
}

/** A term may have so many bits above the grid. */
export const termBits = 51;
/** Fractional bits where nothing is known of the values. */
const defaultBits = 40;
/** Room above the announced model's largest value, in powers of two: 2048 times. */
const headroomBits = termBits - defaultBits;

/** Values and products outside of these powers of two do not occur with float32 and weights in range. */
export const maxMagnitude = 2 ** 480;
const maxGridBits = 900;

/**
 * The finest grid for sums whose largest term is known. The largest of a set does not depend on its order, so neither does
 * the grid: this is the rule where all updates are at hand before the first is folded.
 */
export function gridFor(largestTerm: number): number {
  if (largestTerm === 0) return defaultBits;
  return Math.min(maxGridBits, termBits - exponentAbove(largestTerm));
}

/**
 * Whether a term fits an announced grid: half a step more would round to 2^51 steps, and the sum of as many contributors as there
 * may be to 2^63, one more than the integers of a file of sums hold.
 */
export function isOnGrid(largestTerm: number, gridBits: number): boolean {
  return largestTerm < (2 ** termBits - 0.5) * 2 ** -gridBits;
}

/**
 * The grid to announce with a round, where updates are folded before all of them are known, at a relay or as they arrive:
 * 40 fractional bits for tensors whose largest value in the global model is below 1, fewer for larger ones, so that 2048
 * times the largest value still fits, and the bits that the largest weight takes off.
 *
 * @param maxAbs - largest absolute value of each floating tensor of the global model, by name
 * @param maxWeight - largest weight that a contributor may have
 */
export function announcedScale(maxAbs: Readonly<Record<string, number>>, maxWeight: number): ExactScale {
  const weightExponent = exponentAbove(maxWeight);
  const gridBits = Object.entries(maxAbs).map(([name, largest]) => {
    const exponent = largest === 0 ? 0 : Math.max(0, exponentAbove(largest));
    return [name, termBits - headroomBits - exponent - weightExponent] as const;
  });
  return { gridBits: Object.fromEntries(gridBits) };
}

/** Looks a tensor up in an announced scale. @throws `aggregate/scale-incomplete` */
export function announcedGrid(scale: ExactScale, tensor: string): number {
  const bits = Object.hasOwn(scale.gridBits, tensor) ? scale.gridBits[tensor] : undefined;
  if (bits === undefined || !Number.isInteger(bits) || Math.abs(bits) > maxGridBits) {
    throw new FlareError("aggregate/scale-incomplete", `The announced scale has no whole number of bits for tensor ${quoted(tensor)}.`, {
      facts: { tensor: tensor.slice(0, limits.peerTextChars) },
    });
  }
  return bits;
}

import { FlareError } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";

/** Significant bits of a weight: times the 24 of a float32 they make 53, so that the product is exact in float64. */
const weightBits = 29;

/** Smallest and largest weight. */
export const weightRange = Object.freeze({ least: 2 ** -100, most: 2 ** 100 });

/**
 * The weight that is computed with: numbers of samples below 2^29 as they are, any other number rounded to 29 significant
 * bits (to nearest, ties to even), which depends on nothing but the number itself.
 *
 * @throws `aggregate/weight-invalid` when it is missing, not a number, zero, negative, or outside `weightRange`
 */
export function exactWeight(weight: number, contributor: string): number {
  if (typeof weight !== "number" || !(weight > 0) || weight < weightRange.least || weight > weightRange.most) {
    const range = typeof weight === "number" && weight > 0 ? "from 2^-100 to 2^100" : "above 0";
    throw new FlareError(
      "aggregate/weight-invalid",
      `The weight of ${quoted(contributor)} is ${String(weight)}; it must be ${range}, such as a number of samples.`,
      {
        facts: { contributor, weight: String(weight) },
      },
    );
  }
  return roundedToBits(weight);
}

/**
 * A factor on values, or a share's weight, as it is computed with: rounded to 29 significant bits; 0 where it is nearer to 0 than
 * `weightRange.least`.
 */
export function exactFactor(factor: number): number {
  return Math.abs(factor) < weightRange.least ? 0 : roundedToBits(factor);
}

/** Rounds to 29 significant bits, to nearest, ties to even. */
function roundedToBits(value: number): number {
  // The unit in the last of 29 places; adding and taking away 1.5 times 2^52 units rounds to whole units.
  const unit = 2 ** (exponentAbove(value) - weightBits);
  const magic = 1.5 * 2 ** 52 * unit;
  return value + magic - magic;
}

/** The sum of weights, whatever their order; exact for numbers of samples. */
export function totalWeight(weights: readonly number[]): number {
  return [...weights].sort((a, b) => a - b).reduce((sum, weight) => sum + weight, 0);
}

/** The smallest e with |value| < 2^e, for finite values other than 0. */
export function exponentAbove(value: number): number {
  const magnitude = Math.abs(value);
  // The logarithm may be off by one next to a power of two.
  let exponent = Math.floor(Math.log2(magnitude)) + 1;
  while (2 ** exponent <= magnitude) exponent += 1;
  while (2 ** (exponent - 1) > magnitude) exponent -= 1;
  return exponent;
}

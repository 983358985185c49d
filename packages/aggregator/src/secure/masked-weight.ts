import { FlareError } from "@flare-ts/contracts/errors";
import { exactWeight } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { MaskedFormat } from "./masked-format.js";

/**
 * The weight that a masked update counts with: rounded to the round's grid of weights, which leaves whole numbers as they are.
 *
 * @throws `aggregate/weight-invalid` as `exactWeight`, and where nothing is left of it; `aggregate/weight-too-large`
 */
export function maskedWeight(given: number, contributor: string, { maxWeight, weightBits }: MaskedFormat): number {
  const weight = exactWeight(given, contributor);
  if (weight > maxWeight) {
    throw new FlareError(
      "aggregate/weight-too-large",
      `The weight of ${quoted(contributor)} is ${weight}, where ${maxWeight} is the largest that was announced.`,
      { facts: { contributor, weight, maxWeight } },
    );
  }
  const step = 2 ** -weightBits;
  const magic = 1.5 * 2 ** 52 * step;
  const rounded = weight + magic - magic;
  if (rounded > 0) return rounded;
  throw new FlareError(
    "aggregate/weight-invalid",
    `The weight of ${quoted(contributor)} is ${weight}; masked beside weights of up to ${maxWeight} it must be at least ${step}.`,
    { facts: { contributor, weight: String(weight), least: step } },
  );
}

import { FlareError } from "@flare-ts/contracts/errors";
import { exactWeight, weightRange } from "../exact/weight.js";
import type { ContributorFacts, Share, StrategyFacts } from "./strategy.js";

/** Whether each contributor counts the same, or with its number of samples. */
export type Weighting = "uniform" | "samples";

/** The weightings, in the order of messages. */
export const weightings = ["uniform", "samples"] as const satisfies readonly Weighting[];

/** Each contributor counts with its number of samples. */
export function sampleShares(facts: StrategyFacts): readonly Share[] {
  return facts.contributors.map(({ weight }) => ({ factor: weight, weight }));
}

/** Each contributor counts as 1. */
export function uniformShares(facts: StrategyFacts): readonly Share[] {
  return facts.contributors.map(() => ({ factor: 1, weight: 1 }));
}

/** What a contributor counts with under a weighting. */
export function weightBy(weighting: Weighting, contributor: ContributorFacts): number {
  return weighting === "samples" ? contributor.weight : 1;
}

/**
 * A factor as exact sums take it: rounded to 29 significant bits, to nearest. Below 2^-100 in magnitude it is 0.
 *
 * @throws `internal/bug` when it is not a number or above 2^100 in magnitude
 */
export function roundedFactor(factor: number): number {
  const magnitude = Math.abs(factor);
  if (magnitude < weightRange.least) return 0;
  if (!(magnitude <= weightRange.most)) throw new FlareError("internal/bug", `A factor is ${factor}, beyond the range of exact sums.`);
  return Math.sign(factor) * exactWeight(magnitude, "");
}

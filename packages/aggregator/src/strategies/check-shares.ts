import { FlareError } from "@flare-ts/contracts/errors";
import { weightRange } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { Share, StrategyFacts } from "./strategy.js";

/**
 * Gives back shares that an engine can compute with: one for each contributor; factors of 0 or 2^-100 to 2^100 in magnitude;
 * weights of 0 or in the same range, 0 only where the factor is; not all of them 0, where weights divide.
 *
 * @param hasDivisor - whether the strategy divides by a number of its own, so that weights do not count
 * @throws `aggregate/strategy-unfit` naming the strategy, the contributor and the number
 */
export function checkShares(strategy: string, facts: StrategyFacts, shares: readonly Share[], hasDivisor: boolean): readonly Share[] {
  const { contributors } = facts;
  const refuse = (message: string): never => {
    throw new FlareError("aggregate/strategy-unfit", message, { facts: { strategy, contributors: contributors.length } });
  };
  if (!Array.isArray(shares) || shares.length !== contributors.length) {
    refuse(`${strategy} gave ${Array.isArray(shares) ? shares.length : "no list of"} shares for ${contributors.length} contributors.`);
  }
  for (const [i, { contributor }] of contributors.entries()) {
    const share: Partial<Share> | undefined = shares[i];
    const { factor, weight } = share ?? {};
    const of = `${strategy} gave ${quoted(contributor)}`;
    if (!isUsable(factor)) refuse(`${of} the factor ${String(factor)}; it must be 0, or 2^-100 to 2^100 in magnitude.`);
    if (!isUsable(weight) || weight < 0) refuse(`${of} the weight ${String(weight)}; it must be 0, or 2^-100 to 2^100.`);
    if (!hasDivisor && weight === 0 && factor !== 0)
      refuse(`${of} the weight 0 with the factor ${String(factor)}; both or none must be 0.`);
  }
  if (!hasDivisor && shares.every(({ weight }) => weight === 0)) refuse(`${strategy} left all ${contributors.length} contributors out.`);
  return shares;
}

function isUsable(value: unknown): value is number {
  if (typeof value !== "number") return false;
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude >= weightRange.least && magnitude <= weightRange.most);
}

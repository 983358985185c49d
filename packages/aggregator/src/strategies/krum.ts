import { FlareError } from "@flare-ts/contracts/errors";
import { neededDistances } from "./needed-facts.js";
import { choiceRule, numberRule, optionalNumberRule, readSettings, shownSettings } from "./setting-rules.js";
import { type Weighting, weightBy, weightings } from "./shares.js";
import type { Share, Strategy, StrategyFacts } from "./strategy.js";

export interface KrumSettings {
  /** Contributors f that may send anything; a whole number, 0 to 2046. It takes 2f + 3 contributors. */
  readonly byzantine: number;
}

export interface MultiKrumSettings extends KrumSettings {
  /** Updates m that are averaged, 1 to n - f. @default n - f */
  readonly selected?: number;
  /** How the selected ones count; a number of samples is the contributor's own word. @default "uniform" */
  readonly weighting?: Weighting;
}

const byzantine = numberRule({ atLeast: 0, atMost: 2046, isWhole: true });

export const krumRules = { byzantine };

export const multiKrumRules = {
  byzantine,
  selected: optionalNumberRule({ atLeast: 1, atMost: 4096, isWhole: true }),
  weighting: choiceRule(weightings, "uniform"),
};

/**
 * Krum: the update that is nearest to its neighbours becomes the model's, the others count nothing. Of n updates, each has as
 * its score the sum of the squared distances to the n - f - 2 nearest others; the smallest score wins, and the first by name
 * among equals.
 *
 * Takes FULL and DIFF; all contributors have to send the same tensors. Needs n ≥ 2f + 3, otherwise the round is refused with
 * `aggregate/strategy-unfit`. Costs a pass that measures n (n - 1) / 2 distances, and one that takes the winner.
 *
 * @see Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
 *   NeurIPS 2017
 * @throws `aggregate/strategy-invalid`
 */
export function krum(settings: KrumSettings): Strategy {
  const read = readSettings("krum", krumRules, settings);
  return Object.freeze({
    name: "krum",
    settings: shownSettings(read),
    needs: { distances: true },
    combine: { kind: "mean" },
    weigh: (facts) => select("krum", facts, { ...read, selected: 1, weighting: "uniform" }),
    minContributors: fewest(read.byzantine),
  } as const satisfies Strategy);
}

/**
 * Multi-Krum: the mean of the m updates with the smallest of Krum's scores, the first by name among equals.
 *
 * Takes and needs what `krum` does, and m ≤ n - f, so that those selected could all be honest. Costs the distances, and a pass
 * over the selected updates.
 *
 * @see Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
 *   NeurIPS 2017
 * @throws `aggregate/strategy-invalid`
 */
export function multiKrum(settings: MultiKrumSettings): Strategy {
  const read = readSettings("multi-krum", multiKrumRules, settings);
  return Object.freeze({
    name: "multi-krum",
    settings: shownSettings(read),
    needs: { distances: true },
    combine: { kind: "mean" },
    weigh: (facts) => select("multi-krum", facts, read),
    minContributors: Math.max(fewest(read.byzantine), (read.selected ?? 1) + read.byzantine),
  } as const satisfies Strategy);
}

/** Updates among which so many faulty ones can be told apart. */
function fewest(faulty: number): number {
  return 2 * faulty + 3;
}

interface Selection {
  readonly byzantine: number;
  readonly selected: number | undefined;
  readonly weighting: Weighting;
}

function select(strategy: string, facts: StrategyFacts, settings: Selection): readonly Share[] {
  const count = facts.contributors.length;
  const { byzantine: faulty, selected = count - faulty, weighting } = settings;
  if (count < fewest(faulty)) {
    throw unfit(strategy, `${strategy} needs ${fewest(faulty)} updates to stand ${faulty} faulty ones; there are ${count}.`, count);
  }
  if (selected > count - faulty) {
    throw unfit(
      strategy,
      `${strategy} is to select ${selected} updates; of ${count}, ${count - faulty} at most can be without fault.`,
      count,
    );
  }
  const scores = scoresOf(neededDistances(facts), count, count - faulty - 2);
  // Sorting is stable, and contributors come sorted by name; distances may be infinite, so no differences are taken.
  const byScore = [...scores.entries()].sort(([, a], [, b]) => (a < b ? -1 : Number(a > b)));
  const chosen = new Set(byScore.slice(0, selected).map(([index]) => index));
  return facts.contributors.map((contributor, index) => {
    const weight = chosen.has(index) ? weightBy(weighting, contributor) : 0;
    return { factor: weight, weight };
  });
}

function scoresOf(squaredDistances: Float64Array, count: number, neighbours: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const others = squaredDistances.slice(i * count, (i + 1) * count).filter((_distance, j) => j !== i);
    return others
      .sort()
      .subarray(0, neighbours)
      .reduce((sum, distance) => sum + distance, 0);
  });
}

function unfit(strategy: string, message: string, contributors: number): FlareError {
  return new FlareError("aggregate/strategy-unfit", message, { facts: { strategy, contributors } });
}

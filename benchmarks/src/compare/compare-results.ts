import { speedRatios } from "../result/figure-view.ts";
import type { BenchResult, Figure, Point } from "../result/result.ts";
import { type Summary, summarize } from "../statistics.ts";
import { mannWhitney } from "./mann-whitney.ts";

/** Whether a second sample is beyond noise, by `judge`. */
export type Verdict = "faster" | "slower" | "same" | "too few runs";

/** One kind of value of a figure, before and after. */
export interface Change {
  readonly before: Summary;
  readonly after: Summary;
  /** How many times as fast it became; 1 is no change. */
  readonly speedUp: number;
  readonly verdict: Verdict;
}

/** What became of one figure. */
export interface ComparedFigure {
  readonly figure: Figure;
  readonly point: Point;
  readonly ms: Change;
  /** Speed in multiples of a baseline's that ran side by side: what can be compared between machines. */
  readonly ratios: { readonly numpy: Change | undefined; readonly torch: Change | undefined };
}

export interface Comparison {
  readonly figures: readonly ComparedFigure[];
  /** Ids with their sizes that only one of the two has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** Whether times can be compared at all. */
  readonly isSameMachine: boolean;
  /** Settings that differ, so that nothing is the same work. */
  readonly otherSettings: readonly string[];
}

/** Largest p-value, and smallest change of the median, of what counts as changed. */
export const comparisonRule = Object.freeze({ mostProbable: 0.01, leastChange: 0.05 });

/** Finds what changed between two results, figure by figure, where they measured the same work. */
export function compareResults(before: BenchResult, after: BenchResult): Comparison {
  const keys = ["layout", "dtype", "compression", "strategy", "strategyOptions"] as const;
  const otherSettings = keys.filter((key) => JSON.stringify(before.settings[key]) !== JSON.stringify(after.settings[key]));
  const isSameMachine = (["cpu", "cores", "os"] as const).every((key) => before.environment[key] === after.environment[key]);
  if (otherSettings.length > 0) return { figures: [], onlyBefore: [], onlyAfter: [], isSameMachine, otherSettings };
  const old = indexed(before);
  const now = indexed(after);
  const figures = [...now].flatMap(([key, { point, figure }]) => {
    const other = old.get(key);
    return other === undefined ? [] : [compareFigures(other, { point, figure })];
  });
  const missingFrom = (one: ReadonlyMap<string, unknown>, all: ReadonlyMap<string, unknown>): readonly string[] =>
    [...all.keys()].filter((key) => !one.has(key));
  return { figures, onlyBefore: missingFrom(now, old), onlyAfter: missingFrom(old, now), isSameMachine, otherSettings };
}

/**
 * Whether values changed beyond noise: the Mann–Whitney test finds that the same thing would give two samples so far apart in less than
 * 1% of cases, and the medians differ by at least 5%. With five runs each that is when all of one lie above all of the other.
 *
 * @param direction - 1 when more is faster, -1 when less is
 */
export function judge(before: readonly number[], after: readonly number[], direction: 1 | -1): Change {
  const [old, now] = [summarize(before), summarize(after)];
  const speedUp = direction === 1 ? now.median / old.median : old.median / now.median;
  const change = { before: old, after: now, speedUp };
  if (leastProbability(before.length, after.length) >= comparisonRule.mostProbable) return { ...change, verdict: "too few runs" };
  const isClear = mannWhitney(before, after) < comparisonRule.mostProbable;
  const { leastChange } = comparisonRule;
  if (isClear && speedUp >= 1 + leastChange) return { ...change, verdict: "faster" };
  return { ...change, verdict: isClear && speedUp <= 1 / (1 + leastChange) ? "slower" : "same" };
}

interface Placed {
  readonly point: Point;
  readonly figure: Figure;
}

function indexed({ points }: BenchResult): ReadonlyMap<string, Placed> {
  return new Map(
    points.flatMap((point) =>
      point.figures.map((figure) => [`${point.clients} x ${point.params}: ${figure.id}`, { point, figure }] as const),
    ),
  );
}

function compareFigures(before: Placed, after: Placed): ComparedFigure {
  const ratio = (against: "numpy" | "torch"): Change | undefined => {
    const [old, now] = [before, after].map(({ point, figure }) => speedRatios(point, figure, against));
    return old && now && judge(old, now, 1);
  };
  return {
    ...after,
    ms: judge(before.figure.samplesMs, after.figure.samplesMs, -1),
    ratios: { numpy: ratio("numpy"), torch: ratio("torch") },
  };
}

/** The smallest p-value that so many values can give: all of one above all of the other. */
function leastProbability(n: number, m: number): number {
  let ways = 1;
  for (let i = 1; i <= n; i++) ways = (ways * (m + i)) / i;
  return 2 / ways;
}

import type { StatisticName, StatisticsSettings } from "@flare-ts/contracts/job";
import { mergeDigests, quantileOf } from "./digest.js";
import { exactSum } from "./exact-sum.js";
import type { BinCounts, Centroid, FeatureStatistics } from "./site-statistics.js";
import { featuresOfAll } from "./statistics-request.js";

/** A bin of a histogram: from, to, and how many values. */
export type StatisticsBin = readonly [low: number, high: number, count: number];

/** A number, the bins of a histogram, or quantiles by their shares. */
export type StatisticValue = number | readonly StatisticsBin[] | Readonly<Record<string, number>>;

/** What a site has answered in the passes that were held. */
export interface SiteAnswers {
  readonly site: string;
  readonly first: readonly FeatureStatistics[];
  /** `undefined` where one pass was enough. */
  readonly second: readonly FeatureStatistics[] | undefined;
}

/** What a site says of a feature. */
export interface SiteFeature {
  readonly site: string;
  readonly found: FeatureStatistics;
}

/** One feature of one data set, at the sites that have let it out. */
export interface FeatureGroup {
  readonly dataset: string;
  readonly feature: string;
  /** In the order of the answers; one at least. */
  readonly sites: readonly SiteFeature[];
  /** What all of these come to, or some: as each of them would say it. */
  readonly together: (sites: readonly SiteFeature[]) => FeatureStatistics;
}

/**
 * The answers of sites by feature, in the order in which these are first named. A feature counts at those sites that have answered for it in
 * each pass.
 *
 * @param asked - answers of the first pass of all sites that the second one was computed from: the mean that sites were told is theirs
 */
export function featureGroups(
  settings: StatisticsSettings,
  answers: readonly SiteAnswers[],
  asked: readonly (readonly FeatureStatistics[])[],
): readonly FeatureGroup[] {
  const told = new Map(featuresOfAll(settings, asked).map((one) => [keyOf(one), one]));
  const all = answers.flatMap(({ site, first, second }) => joined(first, second).map((found) => ({ site, found })));
  return [...Map.groupBy(all, ({ found }) => keyOf(found))].flatMap(([key, sites]) => {
    const [first] = sites;
    if (first === undefined) return [];
    const { dataset, feature } = first.found;
    const together = (some: readonly SiteFeature[]) =>
      combined(
        some.map(({ found }) => found),
        told.get(key),
      );
    return [{ dataset, feature, sites, together }];
  });
}

/** What the result says of it, rounded; `undefined` where it is not known. */
export function valueOf(from: FeatureStatistics, statistic: StatisticName, settings: StatisticsSettings): StatisticValue | undefined {
  return rounded(valueIn(from, statistic, settings), settings.precision);
}

/** What sites come to, in the form in which each of them says it. */
function combined(
  group: readonly FeatureStatistics[],
  told: { readonly count: number; readonly mean: number | undefined } | undefined,
): FeatureStatistics {
  const [first] = group;
  if (first === undefined) throw new TypeError("nobody has answered");
  const { dataset, feature } = first;
  const count = exactSum(group.map((one) => one.count));
  const sum = addedUp(group.map((one) => one.sum));
  const variance = varianceOf(group, { count, sum }, told);
  return {
    dataset,
    feature,
    count,
    failureCount: exactSum(group.map((one) => one.failureCount)),
    ...defined("sum", sum),
    ...defined(
      "min",
      extreme(
        group.map((one) => one.min),
        Math.min,
      ),
    ),
    ...defined(
      "max",
      extreme(
        group.map((one) => one.max),
        Math.max,
      ),
    ),
    ...defined("variance", variance),
    ...defined("stddev", variance === undefined ? (group.length === 1 ? first.stddev : undefined) : Math.sqrt(variance)),
    ...defined("histogram", histogramOf(group.flatMap((one) => one.histogram ?? []))),
    ...defined("digest", digestOf(group.map((one) => one.digest))),
  };
}

/**
 * The variance of all values of a group. Its shares are about the mean that sites were told; where somebody of those who made that mean is
 * not in the group, what they add to it is taken out: Σ(x − m')² = Σ(x − m)² − n'(m' − m)².
 */
function varianceOf(
  group: readonly FeatureStatistics[],
  { count, sum }: { readonly count: number; readonly sum: number | undefined },
  told: { readonly count: number; readonly mean: number | undefined } | undefined,
): number | undefined {
  const shares = addedUp(group.map((one) => one.variance));
  if (shares === undefined || sum === undefined || told?.mean === undefined || count < 2) return undefined;
  const squares = shares * (told.count - 1) - count * (sum / count - told.mean) ** 2;
  return Math.max(0, squares) / (count - 1);
}

function histogramOf(histograms: readonly BinCounts[]): BinCounts | undefined {
  const [first] = histograms;
  if (first === undefined) return undefined;
  const same = histograms.filter(
    ({ counts, low, high }) => counts.length === first.counts.length && low === first.low && high === first.high,
  );
  return { ...first, counts: first.counts.map((_, i) => same.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0)) };
}

function digestOf(digests: readonly (readonly Centroid[] | undefined)[]): readonly Centroid[] | undefined {
  const known = digests.flatMap((digest) => (digest === undefined ? [] : [digest]));
  return known.length === 0 ? undefined : mergeDigests(known);
}

function valueIn(from: FeatureStatistics, statistic: StatisticName, { quantile }: StatisticsSettings): StatisticValue | undefined {
  switch (statistic) {
    case "failure_count":
      return from.failureCount;
    case "mean":
      return from.sum === undefined || from.count === 0 ? undefined : from.sum / from.count;
    case "var":
      return from.variance;
    case "histogram":
      return from.histogram === undefined ? undefined : binsOf(from.histogram);
    case "quantile":
      return quantilesOf(from, Object.hasOwn(quantile, from.feature) ? quantile[from.feature] : quantile["*"]);
    case "count":
    case "sum":
    case "min":
    case "max":
    case "stddev":
    default:
      return from[statistic];
  }
}

function quantilesOf({ digest }: FeatureStatistics, shares: readonly number[] | undefined): Readonly<Record<string, number>> | undefined {
  if (digest === undefined || shares === undefined) return undefined;
  const sorted = mergeDigests([digest]);
  const found = shares.flatMap((share) => {
    const value = quantileOf(sorted, share);
    return value === undefined ? [] : [[String(share), value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function binsOf({ low, high, counts }: BinCounts): readonly StatisticsBin[] {
  const edge = (i: number): number => (i === counts.length ? high : low + i * ((high - low) / counts.length));
  return counts.map((count, i) => [edge(i), edge(i + 1), count]);
}

/** What both passes say. */
function joined(first: readonly FeatureStatistics[], second: readonly FeatureStatistics[] | undefined): readonly FeatureStatistics[] {
  if (second === undefined) return first;
  const later = new Map(second.map((one) => [keyOf(one), one]));
  return first.flatMap((one) => {
    const other = later.get(keyOf(one));
    // What both passes have, such as the count, is that of the first one, from which the mean is.
    return other === undefined ? [] : [{ ...other, ...one }];
  });
}

function rounded(value: StatisticValue | undefined, precision: number): StatisticValue | undefined {
  if (value === undefined) return undefined;
  const round = (number: number): number => Number(number.toFixed(precision));
  if (typeof value === "number") return round(value);
  if (Array.isArray(value)) return value.map(([low, high, count]: StatisticsBin) => [round(low), round(high), count] as const);
  return Object.fromEntries(Object.entries(value).map(([name, number]) => [name, round(number)]));
}

/** `undefined` where somebody's is missing: a sum of some would look like that of all. */
function addedUp(values: readonly (number | undefined)[]): number | undefined {
  const known = values.flatMap((value) => value ?? []);
  return known.length < values.length ? undefined : exactSum(known);
}

function extreme(values: readonly (number | undefined)[], choose: (...values: number[]) => number): number | undefined {
  const known = values.flatMap((value) => value ?? []);
  return known.length === 0 ? undefined : choose(...known);
}

function defined<Key extends keyof FeatureStatistics>(key: Key, value: FeatureStatistics[Key] | undefined) {
  return value === undefined ? {} : { [key]: value };
}

function keyOf({ dataset, feature }: Pick<FeatureStatistics, "dataset" | "feature">): string {
  return JSON.stringify([dataset, feature]);
}

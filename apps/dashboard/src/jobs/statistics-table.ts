import type { JobStatistics, StatisticValue } from "@flare-ts/dashboard-api/contract";

/** A bin of a histogram: from, to, and how many values. */
export type Bin = readonly [low: number, high: number, count: number];

/** A feature with what is known of it. */
export interface StatisticsRow {
  readonly feature: string;
  /** By the table's columns; `null` where it is not known. */
  readonly cells: readonly (number | null)[];
  /** `null` where it has no histogram. */
  readonly bins: readonly Bin[] | null;
}

/** What one site, or all of them, have said of a data set. */
export interface StatisticsTable {
  readonly columns: readonly string[];
  readonly hasHistograms: boolean;
  readonly rows: readonly StatisticsRow[];
}

/** Whom statistics are of, and what. */
export interface StatisticsChoice {
  readonly dataset: string;
  /** A site, or `Global`. */
  readonly who: string;
}

type Result = JobStatistics["result"];

/** FLARE's name for what all sites come to. */
export const allSites = "Global";

/** Columns of one number each, in the order in which they stand. */
const plain: readonly (readonly [name: string, title: string])[] = [
  ["count", "Count"],
  ["failure_count", "Failures"],
  ["sum", "Sum"],
  ["mean", "Mean"],
  ["min", "Least"],
  ["max", "Largest"],
  ["var", "Variance"],
  ["stddev", "Deviation"],
];

/** Data sets that statistics are of, sorted. */
export function datasetsIn(result: Result): readonly string[] {
  return namesAt(result, (bySite) => Object.values(bySite).flatMap(Object.keys)).sort();
}

/** Whom statistics are of: all sites together first, then each by its name. */
export function whoIn(result: Result): readonly string[] {
  const sites = namesAt(result, Object.keys).filter((name) => name !== allSites);
  return [allSites, ...sites.sort()];
}

/** The features of a data set, and what is known of each. */
export function statisticsTable(result: Result, choice: StatisticsChoice): StatisticsTable {
  const features = Object.keys(result).filter((feature) =>
    Object.keys(own(result, feature) ?? {}).some((name) => at(result, feature, name, choice) !== undefined),
  );
  const names = plain.filter(([name]) => features.some((feature) => typeof at(result, feature, name, choice) === "number"));
  const shares = [...new Set(features.flatMap((feature) => Object.keys(quantiles(at(result, feature, "quantile", choice)))))];
  shares.sort((a, b) => Number(a) - Number(b));
  const rows = features.map((feature): StatisticsRow => {
    const histogram = at(result, feature, "histogram", choice);
    const ofShares = quantiles(at(result, feature, "quantile", choice));
    return {
      feature,
      cells: [
        ...names.map(([name]) => numberOr(at(result, feature, name, choice))),
        ...shares.map((share) => numberOr(own(ofShares, share))),
      ],
      bins: Array.isArray(histogram) ? histogram : null,
    };
  });
  return {
    columns: [...names.map(([, title]) => title), ...shares.map((share) => `${Number((Number(share) * 100).toPrecision(6))} %`)],
    hasHistograms: rows.some(({ bins }) => bins !== null),
    rows,
  };
}

function at(result: Result, feature: string, statistic: string, { who, dataset }: StatisticsChoice): StatisticValue | undefined {
  return own(own(own(own(result, feature) ?? {}, statistic) ?? {}, who) ?? {}, dataset);
}

function namesAt(result: Result, namesOf: (bySite: Result[string][string]) => readonly string[]): string[] {
  return [...new Set(Object.values(result).flatMap((feature) => Object.values(feature).flatMap(namesOf)))];
}

function quantiles(value: StatisticValue | undefined): Readonly<Record<string, number>> {
  return typeof value === "object" && !Array.isArray(value) ? value : {};
}

function numberOr(value: StatisticValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

/** Features, sites and data sets may have any name. */
function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

import type { StatisticsGroup, StatisticValue } from "@flare-ts/dashboard-api/contract";

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

type Statistics = StatisticsGroup["statistics"];

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
export function datasetsIn(groups: readonly StatisticsGroup[]): readonly string[] {
  return [...new Set(groups.flatMap(({ statistics }) => Object.values(statistics).flatMap(Object.keys)))].sort();
}

/** What a group is called: its names from the first level down. */
export function groupTitle({ names }: Pick<StatisticsGroup, "names">): string {
  return names.length === 0 ? "All sites" : names.join(" / ");
}

/** The features of a data set, and what is known of each. */
export function statisticsTable(statistics: Statistics, dataset: string): StatisticsTable {
  const at = (feature: string, statistic: string): StatisticValue | undefined =>
    own(own(own(statistics, statistic) ?? {}, dataset) ?? {}, feature);
  const features = [...new Set(Object.values(statistics).flatMap((byDataset) => Object.keys(own(byDataset, dataset) ?? {})))];
  const names = plain.filter(([name]) => features.some((feature) => typeof at(feature, name) === "number"));
  const shares = [...new Set(features.flatMap((feature) => Object.keys(quantiles(at(feature, "quantile")))))];
  shares.sort((a, b) => Number(a) - Number(b));
  const rows = features.map((feature): StatisticsRow => {
    const histogram = at(feature, "histogram");
    const ofShares = quantiles(at(feature, "quantile"));
    return {
      feature,
      cells: [...names.map(([name]) => numberOr(at(feature, name))), ...shares.map((share) => numberOr(own(ofShares, share)))],
      bins: Array.isArray(histogram) ? histogram : null,
    };
  });
  return {
    columns: [...names.map(([, title]) => title), ...shares.map((share) => `${Number((Number(share) * 100).toPrecision(6))} %`)],
    hasHistograms: rows.some(({ bins }) => bins !== null),
    rows,
  };
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

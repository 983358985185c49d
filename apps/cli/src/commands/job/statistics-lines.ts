import {
  isHierarchical,
  type JobStatistics,
  type StatisticName,
  type StatisticsBin,
  type StatisticsGroup,
  type StatisticValue,
  statisticsByGroup,
} from "@flare-ts/runtime/admin";
import { metricText } from "../../terminal/quantities.js";
import { type Column, tableLines } from "../../terminal/table.js";
import type { Colors } from "../../terminal/terminal.js";
import { nameText } from "./name-text.js";

/** Of more features, and more data sets, the first are shown; the file in a download has all of them. */
const mostFeatures = 30;
const mostTables = 6;
const mostNameColumns = 28;
/** Bins of a histogram that get a column of their own; of more, neighbours share one. */
const mostBars = 20;

export interface StatisticsLinesInit {
  readonly colors: Colors;
  /** Characters in a line. */
  readonly columns: number;
}

/**
 * What came of statistics, for people: for each data set a table of features, with what all sites come to, and then the same for each group
 * of the first level where there are levels. One that would be wider than the terminal goes on in further ones.
 */
export function statisticsLines({ path, result }: JobStatistics, { colors, columns }: StatisticsLinesInit): string[] {
  const hasLevels = isHierarchical(result);
  const groups = statisticsByGroup(result).filter(({ names, isSite }) => names.length === 0 || (names.length === 1 && !isSite));
  const tables = groups.flatMap((group) => datasetsOf(group).map((dataset) => ({ group, dataset })));
  const lines = tables.slice(0, mostTables).flatMap(({ group, dataset }) => {
    const features = featuresOf(group, dataset);
    const hidden = features.length - mostFeatures;
    return [
      colors.bold(`${nameText(dataset)}, ${whose(group)}`),
      ...tablesOf(group, { dataset, features: features.slice(0, mostFeatures), columns }),
      ...(hidden <= 0 ? [] : [`  and ${hidden} more ${hidden === 1 ? "feature" : "features"}`]),
    ];
  });
  if (lines.length === 0) return [`no statistics of any feature; ${path} is empty`];
  const hidden = tables.length - mostTables;
  const [one, many] = hasLevels ? ["table", "tables"] : ["data set", "data sets"];
  const more = hidden <= 0 ? "" : `and ${hidden} more ${hidden === 1 ? one : many}; `;
  const others = hasLevels ? "those of each level and site" : "those of each site";
  return [...lines, `  ${more}${others} are in ${nameText(path, 80)} of a download`];
}

function whose({ names: [name], level }: StatisticsGroup): string {
  return name === undefined ? "all sites" : `${nameText(name)} (${nameText(level ?? "")})`;
}

/** A histogram in a line: the fullest bin is as high as a letter. */
export function barsText(bins: readonly StatisticsBin[]): string {
  const width = Math.ceil(bins.length / mostBars);
  const columns = Array.from({ length: Math.ceil(bins.length / width) }, (_, i) =>
    bins.slice(i * width, (i + 1) * width).reduce((sum, [, , count]) => sum + count, 0),
  );
  const most = Math.max(...columns);
  return columns.map((count) => (count === 0 || most === 0 ? " " : (bars[Math.ceil((count / most) * bars.length) - 1] ?? ""))).join("");
}

const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

interface DatasetTable {
  readonly dataset: string;
  readonly features: readonly string[];
  readonly columns: number;
}

/** A column with its cells, one for each feature. */
interface FilledColumn extends Column {
  readonly cells: readonly string[];
}

function tablesOf({ statistics }: StatisticsGroup, { dataset, features, columns }: DatasetTable): string[] {
  const valueOf = (feature: string, name: StatisticName): StatisticValue | undefined =>
    own(own(own(statistics, name) ?? {}, dataset) ?? {}, feature);
  const names = shown.filter((name) => features.some((feature) => valueOf(feature, name) !== undefined));
  const shares = [...new Set(features.flatMap((feature) => Object.keys(quantilesIn(valueOf(feature, "quantile")))))];
  const histograms = features.map((feature) => valueOf(feature, "histogram"));
  const first: FilledColumn = { title: "FEATURE", cells: features.map((feature) => nameText(feature, mostNameColumns)) };
  const all: FilledColumn[] = [
    ...names.map((name) => column(name.toUpperCase(), features, (feature) => numberText(valueOf(feature, name), name))),
    ...shares
      .toSorted((a, b) => Number(a) - Number(b))
      .map((share) =>
        column(`Q${share}`, features, (feature) => numberText(own(quantilesIn(valueOf(feature, "quantile")), share), "quantile")),
      ),
    ...(histograms.some(isBins) ? [{ title: "HISTOGRAM", cells: histograms.map((bins) => (isBins(bins) ? barsText(bins) : "-")) }] : []),
  ];
  return groupsOf(all, columns - widthOf(first)).flatMap((group) => {
    const table = [first, ...group];
    return tableLines(
      table,
      features.map((_, i) => table.map(({ cells }) => cells[i] ?? "")),
    );
  });
}

function column(title: string, features: readonly string[], cellOf: (feature: string) => string): FilledColumn {
  return { title, align: "right", cells: features.map(cellOf) };
}

/** Columns in groups that have room; each has one at least. */
function groupsOf(all: readonly FilledColumn[], room: number): readonly (readonly FilledColumn[])[] {
  const groups: FilledColumn[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const one of all) {
    const width = gap + widthOf(one);
    if (used + width > room) {
      groups.push([]);
      used = 0;
    }
    groups.at(-1)?.push(one);
    used += width;
  }
  return groups;
}

function widthOf({ title, cells }: FilledColumn): number {
  return Math.max(title.length, ...cells.map((cell) => cell.length));
}

/** Between two columns of a table. */
const gap = 2;

function isBins(value: StatisticValue | undefined): value is readonly StatisticsBin[] {
  return Array.isArray(value);
}

const shown: readonly StatisticName[] = ["count", "failure_count", "sum", "mean", "min", "max", "var", "stddev"];

function numberText(value: StatisticValue | undefined, name: StatisticName): string {
  if (typeof value !== "number") return "-";
  return name === "count" || name === "failure_count" ? String(value) : metricText(value);
}

function quantilesIn(value: StatisticValue | undefined): Readonly<Record<string, number>> {
  return typeof value === "object" && !Array.isArray(value) ? (value as Readonly<Record<string, number>>) : {};
}

function datasetsOf({ statistics }: StatisticsGroup): readonly string[] {
  return [...new Set(Object.values(statistics).flatMap(Object.keys))].toSorted();
}

function featuresOf({ statistics }: StatisticsGroup, dataset: string): readonly string[] {
  return [...new Set(Object.values(statistics).flatMap((byDataset) => Object.keys(own(byDataset, dataset) ?? {})))];
}

/** Features and data sets may have any name. */
function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

import type { JobStatistics, StatisticName, StatisticsBin, StatisticsResult, StatisticValue } from "@flare-ts/runtime/admin";
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
 * What came of statistics, for people: for each data set a table of features, with what all sites come to. One that would be wider than
 * the terminal goes on in further ones.
 */
export function statisticsLines({ path, result }: JobStatistics, { colors, columns }: StatisticsLinesInit): string[] {
  const features = Object.keys(result);
  const datasets = [...new Set(features.flatMap((feature) => datasetsOf(result, feature)))].toSorted();
  const lines = datasets.slice(0, mostTables).flatMap((dataset) => {
    const ofDataset = features.filter((feature) => datasetsOf(result, feature).includes(dataset));
    const hidden = ofDataset.length - mostFeatures;
    return [
      colors.bold(`${nameText(dataset)}, all sites`),
      ...tablesOf(result, { dataset, features: ofDataset.slice(0, mostFeatures), columns }),
      ...(hidden <= 0 ? [] : [`  and ${hidden} more ${hidden === 1 ? "feature" : "features"}`]),
    ];
  });
  if (lines.length === 0) return [`no statistics of any feature; ${path} is empty`];
  const hidden = datasets.length - mostTables;
  const more = hidden <= 0 ? "" : `and ${hidden} more data ${hidden === 1 ? "set" : "sets"}; `;
  return [...lines, `  ${more}those of each site are in ${nameText(path, 80)} of a download`];
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

function tablesOf(result: StatisticsResult, { dataset, features, columns }: DatasetTable): string[] {
  const globalOf = (feature: string, name: StatisticName): StatisticValue | undefined =>
    own(own(own(own(result, feature) ?? {}, name) ?? {}, "Global") ?? {}, dataset);
  const names = shown.filter((name) => features.some((feature) => globalOf(feature, name) !== undefined));
  const shares = [...new Set(features.flatMap((feature) => Object.keys(quantilesIn(globalOf(feature, "quantile")))))];
  const histograms = features.map((feature) => globalOf(feature, "histogram"));
  const first: FilledColumn = { title: "FEATURE", cells: features.map((feature) => nameText(feature, mostNameColumns)) };
  const all: FilledColumn[] = [
    ...names.map((name) => column(name.toUpperCase(), features, (feature) => numberText(globalOf(feature, name), name))),
    ...shares
      .toSorted((a, b) => Number(a) - Number(b))
      .map((share) =>
        column(`Q${share}`, features, (feature) => numberText(own(quantilesIn(globalOf(feature, "quantile")), share), "quantile")),
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

function datasetsOf(result: StatisticsResult, feature: string): readonly string[] {
  return Object.values(own(result, feature) ?? {}).flatMap((bySite) => Object.keys(own(bySite, "Global") ?? {}));
}

/** Features and data sets may have any name. */
function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

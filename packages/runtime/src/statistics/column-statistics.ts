import { type Centroid, type FeatureStatistics, type SiteStatistics, statisticsVersion } from "./site-statistics.js";

/** Columns of numbers by their names, of each data set by its own. What is no finite number is no value. */
export type DatasetColumns = Readonly<Record<string, Readonly<Record<string, ArrayLike<number>>>>>;

/** What the task of a pass asks, as far as columns of numbers need it. */
export interface ColumnRequest {
  readonly version: number;
  readonly pass: 1 | 2;
  readonly statistics: readonly string[];
  readonly histogram: Readonly<Record<string, { readonly range?: readonly number[] }>>;
  readonly quantile: Readonly<Record<string, unknown>>;
  readonly features?: readonly ToldFeature[];
}

interface ToldFeature {
  readonly dataset: string;
  readonly feature: string;
  readonly count: number;
  readonly mean?: number;
  readonly bins?: number;
  readonly low?: number;
  readonly high?: number;
}

/** Centroids of a digest at most. */
const mostCentroids = 200;

/** What a site says in one pass, of columns of numbers: what is asked, and no more. */
export function columnStatistics(datasets: DatasetColumns, request: ColumnRequest): SiteStatistics {
  if (request.version !== statisticsVersion) throw new TypeError(`The server speaks version ${request.version} of statistics.`);
  const columns = Object.entries(datasets).flatMap(([dataset, own]) =>
    Object.entries(own).map(([feature, values]) => ({ dataset, feature, values: finiteOf(values) })),
  );
  if (request.pass === 1) return { pass: 1, features: columns.map((column) => firstOf(column, request)) };
  const told = new Map((request.features ?? []).map((one) => [keyOf(one), one]));
  return {
    pass: 2,
    features: columns.flatMap((column) => {
      const known = told.get(keyOf(column));
      return known === undefined ? [] : [secondOf(column, known, request)];
    }),
  };
}

interface Column {
  readonly dataset: string;
  readonly feature: string;
  readonly values: Float64Array;
}

function firstOf({ dataset, feature, values }: Column, { statistics, histogram, quantile }: ColumnRequest): FeatureStatistics {
  const asks = (...names: readonly string[]): boolean => names.some((name) => statistics.includes(name));
  const bins = ofFeature(histogram, feature);
  const needsRange = bins !== undefined && bins.range === undefined;
  const sorted = asks("min", "max") || needsRange || ofFeature(quantile, feature) !== undefined ? values.toSorted() : undefined;
  const [least, most] = [sorted?.[0], sorted?.at(-1)];
  return {
    dataset,
    feature,
    count: values.length,
    failureCount: 0,
    ...(asks("sum", "mean", "var", "stddev") ? { sum: sumOf(values) } : {}),
    ...(least !== undefined && (asks("min") || needsRange) ? { min: least } : {}),
    ...(most !== undefined && (asks("max") || needsRange) ? { max: most } : {}),
    ...(sorted !== undefined && ofFeature(quantile, feature) !== undefined ? { digest: digestOf(sorted) } : {}),
  };
}

function secondOf({ dataset, feature, values }: Column, told: ToldFeature, { statistics }: ColumnRequest): FeatureStatistics {
  const { mean, count, bins, low = 0, high = 0 } = told;
  const wantsShare = mean !== undefined && count > 1 && (statistics.includes("var") || statistics.includes("stddev"));
  const hasDeviation = statistics.includes("stddev") && values.length > 1;
  return {
    dataset,
    feature,
    count: values.length,
    failureCount: 0,
    ...(wantsShare ? { variance: squaresAbout(mean, values) / (count - 1) } : {}),
    ...(hasDeviation ? { stddev: Math.sqrt(squaresAbout(sumOf(values) / values.length, values) / (values.length - 1)) } : {}),
    ...(bins === undefined ? {} : { histogram: { low, high, counts: countsIn(values, { bins, low, high }) } }),
  };
}

/** A value belongs where the bin's edges say, also where dividing has rounded it across one. The edges are those that NumPy has. */
function countsIn(
  values: Float64Array,
  { bins, low, high }: { readonly bins: number; readonly low: number; readonly high: number },
): number[] {
  const counts = Array.from({ length: bins }, () => 0);
  const edge = (i: number): number => (i === bins ? high : low + i * ((high - low) / bins));
  for (const value of values) {
    if (value < low || value > high) continue;
    const near = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
    const bin = value < edge(near) ? near - 1 : near < bins - 1 && value >= edge(near + 1) ? near + 1 : near;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/**
 * Means and weights of neighbouring values, finer towards the ends.
 *
 * @see Dunning, "Computing Extremely Accurate Quantiles Using t-Digests", 2019: the bounds are those of its scale function k1
 */
function digestOf(sorted: Float64Array): readonly Centroid[] {
  const starts = Array.from({ length: mostCentroids }, (_, i) =>
    Math.floor(((Math.sin(Math.PI * (i / mostCentroids - 0.5)) + 1) / 2) * sorted.length),
  );
  const bounds = [...new Set([...starts, sorted.length])];
  return bounds.slice(0, -1).map((start, i): Centroid => {
    const own = sorted.subarray(start, bounds[i + 1]);
    return [sumOf(own) / own.length, own.length];
  });
}

function finiteOf(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).filter(Number.isFinite);
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function squaresAbout(mean: number, values: Float64Array): number {
  return values.reduce((squares, value) => squares + (value - mean) ** 2, 0);
}

function ofFeature<Value>(configs: Readonly<Record<string, Value>>, feature: string): Value | undefined {
  return Object.hasOwn(configs, feature) ? configs[feature] : configs["*"];
}

function keyOf({ dataset, feature }: Pick<Column, "dataset" | "feature">): string {
  return JSON.stringify([dataset, feature]);
}

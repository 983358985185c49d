import type { StatisticName, StatisticsSettings } from "@flare-ts/contracts/job";
import { type FeatureStatistics, statisticsVersion } from "./site-statistics.js";

/** What a second pass tells sites of a feature. */
export interface FeatureOfAll {
  readonly dataset: string;
  readonly feature: string;
  readonly count: number;
  /** `undefined` where no statistic that is asked for needs it. */
  readonly mean: number | undefined;
  /** Bins of its histogram; `undefined`: it gets none. */
  readonly bins: { readonly count: number; readonly low: number; readonly high: number } | undefined;
}

/** Statistics that need what only all sites together know. */
const second: readonly StatisticName[] = ["var", "stddev", "histogram"];

/** How many passes there are. */
export function passesOf({ statistics }: Pick<StatisticsSettings, "statistics">): 1 | 2 {
  return statistics.some((name) => second.includes(name)) ? 2 : 1;
}

/** The document that a site gets with the task of a pass. */
export function requestDocument(settings: StatisticsSettings, features?: readonly FeatureOfAll[]): unknown {
  const { statistics, histogram, quantile, isPreRun } = settings;
  const request = { version: statisticsVersion, statistics, histogram, quantile, pre_run: isPreRun };
  if (features === undefined) return { ...request, pass: 1 };
  return {
    ...request,
    pass: 2,
    features: features.map(({ bins, ...rest }) =>
      bins === undefined ? rest : { ...rest, bins: bins.count, low: bins.low, high: bins.high },
    ),
  };
}

/** What a second pass needs to know of the first one's answers: of each feature what all sites come to. */
export function featuresOfAll(
  settings: Pick<StatisticsSettings, "statistics" | "histogram">,
  answers: readonly (readonly FeatureStatistics[])[],
): readonly FeatureOfAll[] {
  const all = answers.flat();
  const groups = Map.groupBy(all, ({ dataset, feature }) => JSON.stringify([dataset, feature]));
  const byFeature = Map.groupBy(all, ({ feature }) => feature);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { dataset, feature } = first;
    const count = sumOf(group, "count");
    const sum = sumOf(group, "sum");
    const mean = group.every((one) => one.sum !== undefined) && count > 0 ? sum / count : undefined;
    // One range for a feature in all data sets, as they are looked at side by side.
    return [{ dataset, feature, count, mean, bins: binsOf(settings, feature, byFeature.get(feature) ?? []) }];
  });
}

function binsOf(
  { statistics, histogram }: Pick<StatisticsSettings, "statistics" | "histogram">,
  feature: string,
  ofFeature: readonly FeatureStatistics[],
): FeatureOfAll["bins"] {
  const asked = Object.hasOwn(histogram, feature) ? histogram[feature] : histogram["*"];
  if (asked === undefined || !statistics.includes("histogram")) return undefined;
  const { bins: count, range } = asked;
  if (range !== undefined) return { count, low: range[0], high: range[1] };
  const low = Math.min(...ofFeature.flatMap(({ min }) => min ?? []));
  const high = Math.max(...ofFeature.flatMap(({ max }) => max ?? []));
  if (!Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  // Where all values are the same there is no width to divide.
  return low < high ? { count, low, high } : { count, low: low - 0.5, high: high + 0.5 };
}

function sumOf(group: readonly FeatureStatistics[], key: "count" | "sum"): number {
  return group.reduce((sum, one) => sum + (one[key] ?? 0), 0);
}

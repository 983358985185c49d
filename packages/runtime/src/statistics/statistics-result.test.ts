import type { StatisticName, StatisticsSettings } from "@flare-ts/contracts/job";
import { describe, expect, it } from "vitest";
import type { StatisticsBin } from "./feature-groups.js";
import { pooled, siteOf, values } from "./local-statistics.test-support.js";
import type { FeatureStatistics } from "./site-statistics.js";
import { featuresOfAll } from "./statistics-request.js";
import { type StatisticsResult, statisticsResult } from "./statistics-result.js";

const settings: StatisticsSettings = {
  kind: "Statistics",
  taskName: "fed_stats",
  statistics: ["count", "failure_count", "sum", "mean", "min", "max", "var", "stddev", "histogram", "quantile"],
  histogram: { "*": { bins: 7, range: undefined } },
  quantile: { "*": [0, 0.25, 0.5, 1] },
  minClients: 1,
  precision: 9,
  isPreRun: true,
  timeoutMs: undefined,
  outputPath: "statistics/s.json",
};

/** Both passes, where some sites are gone in the second. */
function federate(sites: Readonly<Record<string, readonly number[]>>, gone: readonly string[] = []): StatisticsResult {
  const first = Object.entries(sites).map(([site, own]) => ({ site, first: [siteOf(own).first] }));
  const asked = first.map((one) => one.first);
  const [told] = featuresOfAll(settings, asked);
  if (told === undefined) throw new Error("somebody has values");
  const answers = first.flatMap(({ site, first: own }) =>
    gone.includes(site) ? [] : [{ site, first: own, second: [siteOf(sites[site] ?? []).second(told)] }],
  );
  return statisticsResult(settings, answers, asked);
}

const all = (result: StatisticsResult, statistic: StatisticName) => result["x"]?.[statistic]?.["Global"]?.["d"];

describe("statistics of all sites", () => {
  it.each([1, 2, 3, 4, 5])("are those of all values together: %i sites of random sizes", (count) => {
    const sites = Object.fromEntries(Array.from({ length: count }, (_, i) => [`site-${i}`, values(5 + 37 * i, i + 1, 1000)]));
    const result = federate(sites);
    const every = pooled(Object.values(sites).flat());
    for (const name of ["count", "sum", "mean", "min", "max", "var", "stddev"] as const) {
      // Differences are of the order of the rounding of the sums.
      expect(all(result, name), `of ${name}`).toBeCloseTo(every[name], 5);
    }
    expect((all(result, "histogram") as readonly StatisticsBin[]).map(([, , n]) => n)).toEqual(every.counts(7, every.min, every.max));
    const quantiles = all(result, "quantile") as Readonly<Record<string, number>>;
    for (const share of [0, 0.25, 0.5, 1]) expect(quantiles[share]).toBeCloseTo(every.quantile(share), 6);
    for (const [site, own] of Object.entries(sites)) expect(result["x"]?.mean?.[site]).toEqual({ d: expect.closeTo(pooled(own).mean, 6) });
  });

  it("are those of the sites that have answered in both passes, although the mean that these were told was that of all", () => {
    const sites = { a: values(40, 1, 10), b: values(50, 2, 10), c: values(60, 3, 500) };
    const result = federate(sites, ["c"]);
    const every = pooled([...sites.a, ...sites.b]);
    for (const name of ["count", "mean", "var", "stddev"] as const) expect(all(result, name), `of ${name}`).toBeCloseTo(every[name], 6);
    expect(Object.keys(result["x"]?.count ?? {})).toEqual(["a", "b", "Global"]);
  });

  it("are the same whatever order sites come in, and have Global last", () => {
    const result = federate({ a: values(9, 1, 1), b: values(9, 2, 1) });
    expect(all(result, "mean")).toBe(all(federate({ b: values(9, 2, 1), a: values(9, 1, 1) }), "mean"));
    expect(Object.keys(result["x"] ?? {})).toEqual(settings.statistics);
  });

  it("have a histogram also where all values are the same", () => {
    const bins = all(federate({ a: [2, 2], b: [2] }), "histogram") as readonly StatisticsBin[];
    expect(bins).toHaveLength(7);
    expect(bins.reduce((sum, [, , count]) => sum + count, 0)).toBe(3);
  });

  it("say nothing of what a site has held back, and take names as they are", () => {
    const held: FeatureStatistics = { dataset: "d", feature: "__proto__", count: 4, failureCount: 0 };
    const result = statisticsResult(
      { ...settings, statistics: ["count", "mean"] },
      [{ site: "a", first: [held], second: undefined }],
      [[held]],
    );
    expect(JSON.stringify(result)).toBe('{"__proto__":{"count":{"a":{"d":4},"Global":{"d":4}}}}');
  });

  it("are rounded once, at the end", () => {
    const few = { ...settings, precision: 1, statistics: ["mean"] as const };
    const answers = ["a", "b", "c"].map((site) => ({ site, first: [siteOf([0.14]).first], second: undefined }));
    expect(all(statisticsResult(few, answers, []), "mean")).toBe(0.1);
  });
});

describe("what the second pass tells", () => {
  it("is one range for a feature in all data sets, and the one that the job says where it says one", () => {
    const of = (dataset: string, feature: string, min: number, max: number): FeatureStatistics => ({
      dataset,
      feature,
      count: 2,
      failureCount: 0,
      sum: 4,
      min,
      max,
    });
    const ranges = { ...settings, histogram: { "*": { bins: 3, range: undefined }, age: { bins: 5, range: [0, 120] as const } } };
    const told = featuresOfAll(ranges, [
      [of("train", "x", 1, 2), of("test", "x", 0, 1), of("train", "age", 20, 30)],
      [of("train", "x", 1, 9)],
    ]);
    expect(told).toEqual([
      { dataset: "train", feature: "x", count: 4, mean: 2, bins: { count: 3, low: 0, high: 9 } },
      { dataset: "test", feature: "x", count: 2, mean: 2, bins: { count: 3, low: 0, high: 9 } },
      { dataset: "train", feature: "age", count: 2, mean: 2, bins: { count: 5, low: 0, high: 120 } },
    ]);
  });
});

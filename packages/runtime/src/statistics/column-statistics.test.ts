import type { StatisticsSettings } from "@flare-ts/contracts/job";
import { describe, expect, it } from "vitest";
import { type ColumnRequest, columnStatistics } from "./column-statistics.js";
import type { StatisticsBin } from "./feature-groups.js";
import { pooled, values } from "./local-statistics.test-support.js";
import { parseSiteStatistics, siteStatisticsDocument } from "./site-statistics.js";
import { featuresOfAll, requestDocument } from "./statistics-request.js";
import { statisticsResult } from "./statistics-result.js";

const settings: StatisticsSettings = {
  kind: "Statistics",
  taskName: "fed_stats",
  statistics: ["count", "sum", "mean", "min", "max", "var", "stddev", "histogram", "quantile"],
  histogram: { "*": { bins: 9, range: undefined } },
  quantile: { "*": [0.1, 0.5] },
  minClients: 1,
  precision: 9,
  isPreRun: true,
  timeoutMs: undefined,
  outputPath: "statistics/s.json",
};

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("statistics of columns of numbers", () => {
  it("make those of all values together, through the documents that travel", () => {
    const sites = { a: values(300, 1, 10), b: values(500, 2, 30) };
    const answer = (own: readonly number[], request: unknown) =>
      parseSiteStatistics(
        asJson(siteStatisticsDocument(columnStatistics({ d: { x: [...own, Number.NaN] } }, asJson(request) as ColumnRequest))),
      );
    const first = Object.entries(sites).map(([site, own]) => ({ site, first: answer(own, requestDocument(settings)).features }));
    const asked = first.map((one) => one.first);
    const second = requestDocument(settings, featuresOfAll(settings, asked));
    const answers = first.map((one) => ({ ...one, second: answer(sites[one.site as "a" | "b"], second).features }));
    const all = statisticsResult(settings, answers, asked)["x"];
    const every = pooled([...sites.a, ...sites.b]);
    for (const name of ["count", "sum", "mean", "min", "max", "var", "stddev"] as const)
      expect(all?.[name]?.["Global"]?.["d"], `${name} of all`).toBeCloseTo(every[name], 6);
    const bins = all?.histogram?.["Global"]?.["d"] as readonly StatisticsBin[];
    expect(bins.map(([, , count]) => count)).toEqual(every.counts(9, every.min, every.max));
    const quantiles = all?.quantile?.["Global"]?.["d"] as Readonly<Record<string, number>>;
    for (const share of [0.1, 0.5]) {
      const below = [...sites.a, ...sites.b].filter((value) => value < (quantiles[share] ?? Number.NaN)).length / every.count;
      expect(Math.abs(below - share)).toBeLessThan(0.01);
    }
  });

  it("say no more than is asked", () => {
    const request = asJson(
      requestDocument({ ...settings, statistics: ["count", "histogram"], histogram: { x: { bins: 2, range: [0, 4] } }, quantile: {} }),
    ) as ColumnRequest;
    expect(columnStatistics({ d: { x: [1, 2, 9], y: [] } }, request).features).toEqual([
      { dataset: "d", feature: "x", count: 3, failureCount: 0 },
      { dataset: "d", feature: "y", count: 0, failureCount: 0 },
    ]);
    expect(() => columnStatistics({}, { ...request, version: 2 })).toThrow(/version 2/);
  });
});

import type { SiteHierarchy, StatisticName, StatisticsSettings } from "@flare-ts/contracts/job";
import { describe, expect, it } from "vitest";
import type { StatisticsBin } from "./feature-groups.js";
import { type GroupStatistics, hierarchicalResult } from "./hierarchical-result.js";
import { type ReferenceGroup, referenceGroups } from "./hierarchical-result.reference.js";
import { pooled, siteOf, values } from "./local-statistics.test-support.js";
import { statisticsByGroup } from "./statistics-by-group.js";
import { type FeatureOfAll, featuresOfAll } from "./statistics-request.js";
import { statisticsResult } from "./statistics-result.js";

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

type Values = Readonly<Record<string, readonly number[]>>;

/** What sites answer in both passes; those that are gone did so in the first one alone. */
function answersOf(sites: Values, gone: readonly string[] = []) {
  const first = Object.entries(sites).map(([site, own]) => ({ site, first: [siteOf(own).first] }));
  const asked = first.map((one) => one.first);
  const [told] = featuresOfAll(settings, asked);
  if (told === undefined) throw new Error("somebody has values");
  const answers = first.flatMap((one) =>
    gone.includes(one.site) ? [] : [{ ...one, second: [siteOf(sites[one.site] ?? []).second(told)] }],
  );
  return { answers, asked, told };
}

const placeOf = ({ names, level, isSite }: Pick<ReferenceGroup, "names" | "level" | "isSite">) => ({ names, level, isSite });

/** That a group's statistics are those of all its values. */
function expectStatistics(
  statistics: GroupStatistics,
  all: NonNullable<ReferenceGroup["all"]>,
  { told, what }: { readonly told: FeatureOfAll; readonly what: string },
): void {
  const of = (name: StatisticName) => statistics[name]?.["d"]?.["x"];
  const rounded = (number: number): number => Number(number.toFixed(settings.precision));
  expect([of("count"), of("failure_count"), of("sum")], `statistics ${what}`).toEqual([all.count, 0, rounded(all.sumOfSums)]);
  expect([of("mean"), of("min"), of("max")], `statistics ${what}`).toEqual([all.sumOfSums / all.count, all.min, all.max].map(rounded));
  const { count: bins, low, high } = told.bins ?? { count: 0, low: 0, high: 0 };
  const counts = (of("histogram") as readonly StatisticsBin[]).map(([, , count]) => count);
  expect(counts, `statistics ${what}`).toEqual(all.counts(bins, low, high));
  const quantiles = of("quantile") as Readonly<Record<string, number>>;
  for (const share of [0, 0.25, 0.5, 1]) expect(quantiles[share], `statistics ${what}`).toBeCloseTo(all.quantile(share), 5);
  // One value has no variance.
  expect(of("var") === undefined, `statistics ${what}`).toBe(all.count < 2);
  const off = all.count < 2 ? 0 : Math.abs((of("var") as number) - all.var);
  // What lies between the mean of the group and that of all was added at the site, and is taken out again: both are rounded.
  const spread = all.count < 2 ? 0 : all.var + (all.mean - (told.mean ?? 0)) ** 2;
  expect(off, `statistics ${what}`).toBeLessThan(1e-12 * spread + 10 ** -settings.precision);
}

/** A hierarchy of random form with the sites of `names`, and numbers that go with it. */
function randomFederation(seed: number) {
  const [...draws] = values(400, seed, 1).map((one) => one - seed);
  const draw = (below: number): number => Math.floor(Math.cbrt(draws.pop() ?? 0) * below);
  const sites: Record<string, readonly number[]> = {};
  const level = (depth: number): SiteHierarchy => ({
    level: `level ${depth}`,
    members: Array.from({ length: 1 + draw(3) }, (_, i) => {
      if (depth > 3 || draw(2) === 0) {
        const site = `site-${Object.keys(sites).length}`;
        sites[site] = values(1 + draw(60), seed + draw(50), [1, 100, 1e6][draw(3)] ?? 1);
        return site;
      }
      return { name: `group ${i}`, ...level(depth + 1) };
    }),
  });
  return { hierarchy: level(1), sites, gone: (site: string) => Number(site.slice(5)) % 7 === 3 };
}

describe("statistics by a hierarchy of sites", () => {
  it("are at each level those of all values of its sites, in hierarchies and of numbers of any form", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const { hierarchy, sites, gone } = randomFederation(seed);
      const { answers, asked, told } = answersOf(sites, Object.keys(sites).filter(gone));
      const there = Object.fromEntries(answers.map(({ site }) => [site, sites[site] ?? []]));
      const found = statisticsByGroup(hierarchicalResult(settings, hierarchy, answers, asked));
      const expected = referenceGroups(hierarchy, there);
      expect(found.map(placeOf)).toEqual(expected.map(placeOf));
      for (const [index, { names, all }] of expected.entries()) {
        const statistics = found[index]?.statistics ?? {};
        expect(Object.keys(statistics).length > 0, `whether there are some of ${names.join(" / ")} in ${seed}`).toBe(all !== undefined);
        if (all !== undefined) expectStatistics(statistics, all, { told, what: `of ${names.join(" / ")} in ${seed}` });
      }
    }
  });

  it("are in FLARE's form", () => {
    const hierarchy: SiteHierarchy = {
      level: "States",
      members: [
        { name: "state-1", level: "universities", members: ["a", "b"] },
        { name: "state-2", level: "universities", members: ["c"] },
      ],
    };
    const { answers, asked } = answersOf({ a: [1, 2], b: [3], c: [4] });
    const few: StatisticsSettings = { ...settings, statistics: ["count", "sum"] };
    const of = (count: number, sum: number) => ({ count: { d: { x: count } }, sum: { d: { x: sum } } });
    expect(JSON.stringify(hierarchicalResult(few, hierarchy, answers, asked))).toBe(
      JSON.stringify({
        Global: of(4, 10),
        States: [
          {
            Name: "state-1",
            universities: [
              { Name: "a", Local: of(2, 3) },
              { Name: "b", Local: of(1, 3) },
            ],
            Global: of(3, 6),
          },
          { Name: "state-2", universities: [{ Name: "c", Local: of(1, 4) }], Global: of(1, 4) },
        ],
      }),
    );
  });

  it("are those of the site where a level has one, and those without levels for all of them", () => {
    const sites = { a: values(30, 1, 10), b: values(40, 2, 1000) };
    const { answers, asked } = answersOf(sites);
    const hierarchy: SiteHierarchy = { level: "countries", members: [{ name: "one", level: "hospitals", members: ["a"] }, "b"] };
    const [all, one, site] = statisticsByGroup(hierarchicalResult(settings, hierarchy, answers, asked));
    expect(one?.statistics).toEqual(site?.statistics);
    expect(one?.statistics.stddev).toEqual({ d: { x: expect.closeTo(pooled(sites.a).stddev, 6) as number } });
    const [flat] = statisticsByGroup(statisticsResult(settings, answers, asked));
    expect(all?.statistics).toEqual(flat?.statistics);
  });

  it("say of a feature that some of a level's sites have held back what the others come to, and nothing where all have", () => {
    const { answers, asked } = answersOf({ a: [1, 2], b: [3, 5], c: [4, 4] });
    const open = answers.map((one) => (one.site === "b" ? one : { ...one, second: [] }));
    const hierarchy: SiteHierarchy = {
      level: "l",
      members: [
        { name: "g", level: "m", members: ["a", "b"] },
        { name: "h", level: "m", members: ["c"] },
      ],
    };
    const counts = statisticsByGroup(hierarchicalResult(settings, hierarchy, open, asked)).map(({ statistics }) => statistics.count?.["d"]);
    expect(counts).toEqual([{ x: 2 }, { x: 2 }, undefined, { x: 2 }, undefined, undefined]);
  });
});

describe("a result by whom it is of", () => {
  it("takes names as they are, in either form", () => {
    const flat = JSON.parse('{"__proto__": {"count": {"a": {"constructor": 3}, "Global": {"constructor": 4}}}}') as never;
    expect(JSON.stringify(statisticsByGroup(flat).map(({ names, statistics }) => [names, statistics]))).toBe(
      '[[[],{"count":{"constructor":{"__proto__":4}}}],[["a"],{"count":{"constructor":{"__proto__":3}}}]]',
    );
    const levels = JSON.parse('{"Global": {}, "__proto__": [{"Name": "__proto__", "Local": {}}]}') as never;
    expect(statisticsByGroup(levels)).toMatchObject([{ names: [] }, { names: ["__proto__"], level: "__proto__", isSite: true }]);
    expect(statisticsByGroup({})).toEqual([{ names: [], level: undefined, isSite: false, statistics: {} }]);
  });
});

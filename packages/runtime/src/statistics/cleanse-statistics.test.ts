import type { StatisticsFilter } from "@flare-ts/contracts/job";
import { describe, expect, it } from "vitest";
import { cleanseStatistics } from "./cleanse-statistics.js";
import { mergeDigests, quantileOf } from "./digest.js";
import type { FeatureStatistics } from "./site-statistics.js";

const feature = (name: string, more: Partial<FeatureStatistics> = {}): FeatureStatistics => ({
  dataset: "d",
  feature: name,
  count: 100,
  failureCount: 0,
  ...more,
});

const least: StatisticsFilter = { kind: "MinCountCleanser", minCount: 10 };
const noise: StatisticsFilter = { kind: "AddNoiseToMinMax", minNoiseLevel: 0.1, maxNoiseLevel: 0.3 };
const bins: StatisticsFilter = { kind: "HistogramBinsCleanser", maxBinsPercent: 10 };

function cleanse(features: readonly FeatureStatistics[], filters: readonly StatisticsFilter[], random = () => 0.5) {
  const { statistics, heldBack } = cleanseStatistics({ pass: 1, features }, filters, random);
  return { features: statistics.features, heldBack };
}

describe("cleansing statistics", () => {
  it("holds back all of a feature with too few values, its count too; those that failed do not count", () => {
    const few = [feature("nine", { count: 9 }), feature("ten", { count: 10 }), feature("failed", { count: 12, failureCount: 3 })];
    expect(cleanse(few, [least])).toEqual({ features: [few[1]], heldBack: ["d/nine", "d/failed"] });
  });

  it("moves the least value down and the largest up by a share of themselves, whatever their sign", () => {
    const moved = cleanse(
      [feature("a", { min: 10, max: 20 }), feature("b", { min: -10, max: -5 }), feature("c", { min: 0, max: 0 })],
      [noise],
    );
    expect(moved.features.map(({ min, max }) => [min, max])).toEqual([
      [expect.closeTo(8), expect.closeTo(24)],
      [expect.closeTo(-12), expect.closeTo(-4)],
      [expect.closeTo(-1.2e-5, 9), expect.closeTo(1.2e-5, 9)],
    ]);
    const extremes = [0, 1].map((draw) => cleanse([feature("a", { min: 10 })], [noise], () => draw).features[0]?.min);
    expect(extremes).toEqual([9, 7]);
  });

  it("holds back a histogram with as many bins as the share of the values, and nothing else of its feature", () => {
    const of = (count: number) =>
      feature(`of-${count}`, { histogram: { low: 0, high: 1, counts: Array.from({ length: count }, () => 1) } });
    const { features, heldBack } = cleanse([of(9), of(10)], [bins]);
    expect(features.map(({ histogram }) => histogram?.counts.length)).toEqual([9, undefined]);
    expect(features[1]).toMatchObject({ count: 100 });
    expect(heldBack).toEqual(["d/of-10:histogram"]);
  });

  it("lets no centroid of a digest stand for fewer values than the least count", () => {
    const digest = Array.from({ length: 25 }, (_, i) => [i, 1] as const);
    const [one] = cleanse([feature("a", { digest })], [least]).features;
    expect(one?.digest).toEqual([
      [expect.closeTo(4.5), 10],
      [expect.closeTo(17), 15],
    ]);
    expect(quantileOf(mergeDigests([one?.digest ?? []]), 0.5)).toBeCloseTo(12);
  });

  it("lets no digest out where noise hides the ends and no least count is set", () => {
    const digest = [[1, 1] as const];
    expect(cleanse([feature("a", { digest, min: 1 })], [noise])).toMatchObject({ heldBack: ["d/a:quantile"] });
    expect(cleanse([feature("a", { digest })], []).features[0]?.digest).toEqual(digest);
  });
});

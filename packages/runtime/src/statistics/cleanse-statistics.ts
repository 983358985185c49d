import type { StatisticsFilter } from "@flare-ts/contracts/job";
import { coarserDigest } from "./digest.js";
import type { FeatureStatistics, SiteStatistics } from "./site-statistics.js";

/** Statistics as they may leave, and what may not. */
export interface CleansedStatistics {
  readonly statistics: SiteStatistics;
  /** `dataset/feature`, with the statistic behind a colon where not all of them stay. */
  readonly heldBack: readonly string[];
}

/**
 * Does to statistics what filters say, in their order.
 *
 * @param random - a number from 0 to 1, by which noise is drawn
 */
export function cleanseStatistics(
  { pass, features }: SiteStatistics,
  filters: readonly StatisticsFilter[],
  random: () => number,
): CleansedStatistics {
  const heldBack: string[] = [];
  const hold = ({ dataset, feature }: FeatureStatistics, what = ""): void => void heldBack.push(`${dataset}/${feature}${what}`);
  // The first and last values of a digest would be those that noise hides, and single ones those that a least count does.
  const hasLeastCount = filters.some(({ kind }) => kind === "MinCountCleanser");
  const start = features.map((one) => {
    if (one.digest === undefined || hasLeastCount || filters.length === 0) return one;
    hold(one, ":quantile");
    return withoutDigest(one);
  });
  const cleansed = filters.reduce<readonly FeatureStatistics[]>((before, filter) => {
    if (filter.kind === "MinCountCleanser") {
      return before.flatMap((one) => {
        if (one.count - one.failureCount >= filter.minCount) return [withCoarserDigest(one, filter.minCount)];
        hold(one);
        return [];
      });
    }
    if (filter.kind === "AddNoiseToMinMax") return before.map((one) => withNoise(one, filter, random));
    return before.map((one) => {
      const most = Math.round(((one.count - one.failureCount) * filter.maxBinsPercent) / 100);
      if (one.histogram === undefined || one.histogram.counts.length < most) return one;
      hold(one, ":histogram");
      return withoutHistogram(one);
    });
  }, start);
  return { statistics: { pass, features: cleansed }, heldBack };
}

function withCoarserDigest(one: FeatureStatistics, least: number): FeatureStatistics {
  return one.digest === undefined ? one : { ...one, digest: coarserDigest(one.digest, least) };
}

/** Away from the values between them, so that these lie inside still. */
function withNoise(
  one: FeatureStatistics,
  { minNoiseLevel, maxNoiseLevel }: Extract<StatisticsFilter, { kind: "AddNoiseToMinMax" }>,
  random: () => number,
): FeatureStatistics {
  const draw = (): number => minNoiseLevel + (maxNoiseLevel - minNoiseLevel) * random();
  const moved = (value: number, direction: 1 | -1): number => {
    const level = draw();
    return value === 0 ? direction * (1 + level) * smallest : value + direction * Math.abs(value) * level;
  };
  return {
    ...one,
    ...(one.min === undefined ? {} : { min: moved(one.min, -1) }),
    ...(one.max === undefined ? {} : { max: moved(one.max, 1) }),
  };
}

/** A share of zero would be zero. */
const smallest = 1e-5;

function withoutDigest(one: FeatureStatistics): FeatureStatistics {
  const { digest: _, ...rest } = one;
  return rest;
}

function withoutHistogram(one: FeatureStatistics): FeatureStatistics {
  const { histogram: _, ...rest } = one;
  return rest;
}

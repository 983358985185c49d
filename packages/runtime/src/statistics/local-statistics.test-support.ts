import type { FeatureStatistics } from "./site-statistics.js";
import type { FeatureOfAll } from "./statistics-request.js";

/** Numbers that are the same at each run: a linear congruential generator, around the seed. */
export function values(count: number, seed: number, scale: number): number[] {
  let state = seed * 2_654_435_761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return seed + (state / 2 ** 32) ** 3 * scale;
  });
}

/** What a site says of its values, as feature `x` of the data set `d`: slow and obvious. */
export function siteOf(own: readonly number[]) {
  const { count, sum, min, max, stddev, counts } = pooled(own);
  const base = { dataset: "d", feature: "x", count, failureCount: 0 };
  return {
    first: { ...base, sum, min, max, digest: own.map((value) => [value, 1] as const) } satisfies FeatureStatistics,
    second: ({ count: all, mean = 0, bins }: FeatureOfAll): FeatureStatistics => ({
      ...base,
      stddev,
      variance: own.reduce((squares, value) => squares + (value - mean) ** 2, 0) / (all - 1),
      ...(bins === undefined ? {} : { histogram: { low: bins.low, high: bins.high, counts: counts(bins.count, bins.low, bins.high) } }),
    }),
  };
}

/** Statistics of values that lie in one place. */
export function pooled(all: readonly number[]) {
  const sorted = all.toSorted((a, b) => a - b);
  const count = all.length;
  const sum = all.reduce((total, value) => total + value, 0);
  const mean = sum / count;
  const variance = all.reduce((squares, value) => squares + (value - mean) ** 2, 0) / (count - 1);
  return {
    count,
    sum,
    mean,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    var: variance,
    stddev: Math.sqrt(variance),
    counts: (bins: number, low: number, high: number): number[] => {
      const found = Array.from({ length: bins }, () => 0);
      for (const value of all) {
        const bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
        if (value >= low && value <= high) found[bin] = (found[bin] ?? 0) + 1;
      }
      return found;
    },
    quantile: (share: number): number => {
      const rank = share * (count - 1);
      const below = sorted[Math.floor(rank)] ?? Number.NaN;
      return below + ((sorted[Math.ceil(rank)] ?? below) - below) * (rank - Math.floor(rank));
    },
  };
}

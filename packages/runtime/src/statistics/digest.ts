import type { Centroid } from "./site-statistics.js";

/** Digests of several sites as one: each centroid stands for as much as before. */
export function mergeDigests(digests: readonly (readonly Centroid[])[]): readonly Centroid[] {
  return digests
    .flat()
    .filter(([, weight]) => weight > 0)
    .toSorted(([a], [b]) => a - b);
}

/** A digest in which no centroid stands for fewer values than `least`: neighbours become one. */
export function coarserDigest(digest: readonly Centroid[], least: number): readonly Centroid[] {
  const merged: Centroid[] = [];
  let open: Centroid = [0, 0];
  for (const centroid of mergeDigests([digest])) {
    open = together(open, centroid);
    if (open[1] < least) continue;
    merged.push(open);
    open = [0, 0];
  }
  const last = merged.pop();
  if (last === undefined) return [];
  return [...merged, open[1] === 0 ? last : together(last, open)];
}

/**
 * The value below which a share of the values lies. Between centroids it is interpolated, so that a digest of single values gives what is
 * usual: the value at rank `share` × (n − 1) of the sorted ones.
 *
 * @param digest - sorted, as `mergeDigests` gives it
 */
export function quantileOf(digest: readonly Centroid[], share: number): number | undefined {
  const total = digest.reduce((sum, [, weight]) => sum + weight, 0);
  const target = share * (total - 1) + 0.5;
  let before: { readonly mean: number; readonly at: number } | undefined;
  let sum = 0;
  for (const [mean, weight] of digest) {
    const at = sum + weight / 2;
    if (target <= at) {
      if (before === undefined) return mean;
      return before.mean + ((mean - before.mean) * (target - before.at)) / (at - before.at);
    }
    before = { mean, at };
    sum += weight;
  }
  return before?.mean;
}

function together([a, m]: Centroid, [b, n]: Centroid): Centroid {
  return m + n === 0 ? [b, n] : [a + ((b - a) * n) / (m + n), m + n];
}

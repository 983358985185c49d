/**
 * How probable it is that two samples of the same thing lie at least as far apart as these two: the two-sided p-value of the
 * Mann–Whitney U test. It looks at the order of the values alone, so one value that is far off does little. Exact without equal
 * values; with some, by the normal approximation with their correction.
 *
 * @see Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", 1947
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const below = a.reduce((sum, x) => sum + b.reduce((inner, y) => inner + (y < x ? 1 : y === x ? 0.5 : 0), 0), 0);
  const pairs = a.length * b.length;
  const least = Math.min(below, pairs - below);
  const ties = tieSizes([...a, ...b]);
  if (ties.every((size) => size === 1)) return Math.min(1, 2 * shareUpTo(least, a.length, b.length));
  const count = a.length + b.length;
  const correction = ties.reduce((sum, size) => sum + size ** 3 - size, 0) / (count * (count - 1));
  const deviation = Math.sqrt((pairs / 12) * (count + 1 - correction));
  // All values are equal.
  if (deviation === 0) return 1;
  return Math.min(1, 2 * normalTail(Math.max(0, pairs / 2 - least - 0.5) / deviation));
}

function tieSizes(values: readonly number[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}

/** The share of all ways to mix n and m values in which U is at most `most`. */
function shareUpTo(most: number, n: number, m: number): number {
  // ways[i][u]: how many of the ways with i of the first kind and j of the second have U = u; built up by j.
  let ways: number[][] = Array.from({ length: n + 1 }, () => [1]);
  for (let j = 1; j <= m; j++) {
    const next: number[][] = [[1]];
    for (let i = 1; i <= n; i++) {
      // The largest value is of the first kind and lies above all j of the second, or it is of the second kind.
      const ofFirst = next[i - 1] ?? [];
      const ofSecond = ways[i] ?? [];
      next.push(Array.from({ length: i * j + 1 }, (_, u) => (ofFirst[u - j] ?? 0) + (ofSecond[u] ?? 0)));
    }
    ways = next;
  }
  const all = ways[n] ?? [];
  const total = all.reduce((sum, count) => sum + count, 0);
  return all.slice(0, Math.floor(most) + 1).reduce((sum, count) => sum + count, 0) / total;
}

/**
 * The share of a normal distribution beyond so many deviations, to 1.2e-7.
 *
 * @see Press et al., "Numerical Recipes", section 6.2, erfc by Chebyshev fitting
 */
function normalTail(deviations: number): number {
  const x = deviations / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
  ];
  const exponent = coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return (t * Math.exp(exponent - x * x)) / 2;
}

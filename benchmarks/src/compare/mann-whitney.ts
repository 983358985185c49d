/** Values of both samples together up to which the p-value is exact. */
const mostExact = 40;

/**
 * How probable it is that two samples of the same thing lie at least as far apart as these two: the two-sided p-value of the
 * Mann–Whitney U test. It looks at the order of the values alone, so one value that is far off does little. Exact, with equal values
 * too, up to 40 values; beyond by the normal approximation.
 *
 * @see Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", 1947
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const ranks = doubledRanks([...a, ...b]);
  const observed = ranks.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  // Twice the sum of ranks that the first sample has in the middle of all ways to mix them.
  const middle = a.length * (ranks.length + 1);
  const distance = Math.abs(observed - middle);
  // All values are equal, or there are none.
  if (distance === 0) return 1;
  if (ranks.length > mostExact) return approximate(ranks, a.length, distance);
  return sumDistribution(ranks, a.length).reduce(
    (share, probability, sum) => (Math.abs(sum - middle) >= distance ? share + probability : share),
    0,
  );
}

/** Twice the rank of each value, which is whole: equal values share the mean of their ranks. */
function doubledRanks(values: readonly number[]): readonly number[] {
  return values.map((value) => 1 + values.reduce((sum, other) => sum + (other < value ? 2 : other === value ? 1 : 0), 0));
}

/** How probable each sum is, when so many of the ranks are drawn at random. */
function sumDistribution(ranks: readonly number[], drawn: number): readonly number[] {
  const most = ranks
    .toSorted((x, y) => y - x)
    .slice(0, drawn)
    .reduce((sum, rank) => sum + rank, 0);
  // chances[k][sum]: that k of the ranks so far are drawn and have this sum.
  let chances = Array.from({ length: drawn + 1 }, () => new Float64Array(most + 1));
  chances[0]?.fill(1, 0, 1);
  for (const [i, rank] of ranks.entries()) {
    const next = Array.from({ length: drawn + 1 }, () => new Float64Array(most + 1));
    for (const [k, row] of chances.entries()) {
      const isDrawn = (drawn - k) / (ranks.length - i);
      for (const [sum, chance] of row.entries()) {
        if (chance === 0) continue;
        const [stay, draw] = [next[k], next[k + 1]];
        if (stay !== undefined) stay[sum] = (stay[sum] ?? 0) + chance * (1 - isDrawn);
        if (draw !== undefined) draw[sum + rank] = (draw[sum + rank] ?? 0) + chance * isDrawn;
      }
    }
    chances = next;
  }
  return [...(chances[drawn] ?? [])];
}

function approximate(ranks: readonly number[], drawn: number, distance: number): number {
  const rest = ranks.length - drawn;
  const mean = ranks.length + 1;
  // The variance of the ranks themselves, so that equal values are accounted for.
  const variance = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0) / (ranks.length - 1) / ranks.length;
  const deviation = Math.sqrt(variance * drawn * rest);
  return Math.min(1, 2 * normalTail(Math.max(0, distance - 1) / deviation));
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

/** The smoothed Weiszfeld algorithm on the vectors themselves, from their weighted mean, for as many iterations as it is given. */
export function weiszfeld(
  vectors: readonly (readonly number[])[],
  weights: readonly number[],
  { smoothing, iterations }: { readonly smoothing: number; readonly iterations: number },
): number[] {
  let point = weightedMean(vectors, weights);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const pulls = vectors.map((vector, i) => (weights[i] ?? Number.NaN) / Math.max(smoothing, distanceBetween(point, vector)));
    point = weightedMean(vectors, pulls);
  }
  return point;
}

/** The sum that a geometric median makes as small as it can be. */
export function sumOfDistances(point: readonly number[], vectors: readonly (readonly number[])[], weights: readonly number[]): number {
  return vectors.reduce((sum, vector, i) => sum + (weights[i] ?? Number.NaN) * distanceBetween(point, vector), 0);
}

export function distanceBetween(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(a.reduce((sum, value, e) => sum + (value - (b[e] ?? Number.NaN)) ** 2, 0));
}

function weightedMean(vectors: readonly (readonly number[])[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [first = []] = vectors;
  return first.map((_, e) => vectors.reduce((sum, vector, i) => sum + (weights[i] ?? Number.NaN) * (vector[e] ?? Number.NaN), 0) / total);
}

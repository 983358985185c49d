/** The weighted mean of vectors, each of which is first shortened to a length of at most `clipNorm`. */
export function clippedMean(vectors: readonly (readonly number[])[], weights: readonly number[], clipNorm: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const clipped = vectors.map((vector) => {
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0));
    return length <= clipNorm ? vector : vector.map((value) => (value / length) * clipNorm);
  });
  const [first = []] = clipped;
  return first.map((_, e) => clipped.reduce((sum, vector, i) => sum + (weights[i] ?? Number.NaN) * (vector[e] ?? Number.NaN), 0) / total);
}

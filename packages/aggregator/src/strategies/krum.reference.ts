/** Krum's scores from the vectors themselves: to each, the sum of squared distances to the n - f - 2 nearest others. */
export function krumScores(vectors: readonly (readonly number[])[], faulty: number): number[] {
  return vectors.map((vector, i) => {
    const distances: number[] = [];
    for (const [j, other] of vectors.entries()) {
      if (j === i) continue;
      let squared = 0;
      for (const [e, value] of vector.entries()) squared += (value - (other[e] ?? Number.NaN)) ** 2;
      distances.push(squared);
    }
    distances.sort((a, b) => a - b);
    let score = 0;
    for (let near = 0; near < vectors.length - faulty - 2; near++) score += distances[near] ?? Number.NaN;
    return score;
  });
}

/** The m vectors with the smallest scores, by index, smallest index first among equals. */
export function bestScored(scores: readonly number[], count: number): number[] {
  const chosen: number[] = [];
  while (chosen.length < count) {
    let best = -1;
    for (const [i, score] of scores.entries()) {
      if (!chosen.includes(i) && (best < 0 || score < (scores[best] ?? Number.NaN))) best = i;
    }
    chosen.push(best);
  }
  return chosen;
}

/**
 * Means, element by element, of what is left without the `cut` smallest and the `cut` largest values: the sum in float64 from the
 * smallest to the largest, divided by their number, rounded to float32 once; zero has no sign.
 */
export function trimmedMeans(values: readonly ArrayLike<number>[], cut: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, k) => {
    const sorted = values.map((of) => of[k] ?? 0).sort((a, b) => a - b);
    const kept = sorted.slice(cut, sorted.length - cut);
    return Math.fround(kept.reduce((sum, value) => sum + value) / kept.length) + 0;
  });
}

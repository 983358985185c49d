/** Number of samples of the update at an index: a number that takes part in the rounding, and not the same for any two. */
export function weightOf(index: number): number {
  return 100 + index;
}

/** Weights of so many updates. */
export function weightsOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => weightOf(i));
}

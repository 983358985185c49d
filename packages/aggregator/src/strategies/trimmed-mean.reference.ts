/** The trimmed mean of one element as a person would do it: sort, cut, add up, divide; float32, and +0 for zero. */
export function plainTrimmedMean(values: readonly number[], cut: number): number {
  const left = [...values].sort((a, b) => a - b).slice(cut, values.length - cut);
  let sum = 0;
  for (const value of left) sum += value;
  return Math.fround(sum / left.length) + 0;
}

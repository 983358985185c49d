/** Figures of repeated measurements. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, smallest and largest of some values. @throws RangeError when there are none */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[index];
    if (value === undefined) throw new RangeError("no values to summarize");
    return value;
  };
  const middle = Math.floor((sorted.length - 1) / 2);
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle) + at(middle + 1)) / 2;
  return { count: sorted.length, median, min: at(0), max: at(sorted.length - 1) };
}

/** `0.052 s (0.031–0.130, n=58)`. */
export function secondsText({ median, min, max, count }: Summary): string {
  return `${median.toFixed(3)} s (${min.toFixed(3)}–${max.toFixed(3)}, n=${count})`;
}

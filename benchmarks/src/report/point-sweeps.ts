import { countText } from "../result/number-text.ts";
import type { BenchResult, Point } from "../result/result.ts";

/** Sizes that differ in one thing alone. */
export interface Sweep {
  readonly key: "clients" | "params";
  /** What differs, in words. */
  readonly name: string;
  /** What stays, in words. */
  readonly fixed: string;
  /** At least two, in order. */
  readonly points: readonly Point[];
}

/** The sweeps through the first size, as far as there are some. */
export function pointSweeps({ points }: BenchResult): readonly Sweep[] {
  const [first] = points;
  if (first === undefined) return [];
  const sweeps: readonly Sweep[] = [
    {
      key: "clients",
      name: "number of updates",
      fixed: `${countText(first.params)} parameters each`,
      points: points.filter(({ params }) => params === first.params),
    },
    {
      key: "params",
      name: "parameters",
      fixed: `${first.clients} updates`,
      points: points.filter(({ clients }) => clients === first.clients),
    },
  ];
  return sweeps
    .filter((sweep) => sweep.points.length > 1)
    .map((sweep) => ({ ...sweep, points: sweep.points.toSorted((a, b) => a[sweep.key] - b[sweep.key]) }));
}

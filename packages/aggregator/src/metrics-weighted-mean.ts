import { FlareError } from "@flare-ts/contracts/errors";
import { exactWeight } from "./exact/weight.js";
import { quoted } from "./peer-text.js";

/** What one contributor measured. */
export interface WeightedMetrics {
  readonly contributor: string;
  /** Number of samples that the metrics were measured on. */
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Averages each metric over the contributors that sent it, weighted; the same numbers in any order of contributors, because
 * they are summed in the order of their names. Keys of the result are sorted.
 *
 * @throws `aggregate/weight-invalid`, `aggregate/not-finite`, `aggregate/contributor-twice`
 */
export function metricsWeightedMean(contributions: readonly WeightedMetrics[]): Record<string, number> {
  const sums = new Map<string, { sum: number; weight: number }>();
  const inOrder = [...contributions].sort((a, b) => (a.contributor < b.contributor ? -1 : Number(a.contributor > b.contributor)));
  for (const [index, { contributor, weight, metrics }] of inOrder.entries()) {
    if (inOrder[index - 1]?.contributor === contributor) {
      throw new FlareError("aggregate/contributor-twice", `Metrics of ${quoted(contributor)} were given twice.`, {
        facts: { contributor },
      });
    }
    const exact = exactWeight(weight, contributor);
    for (const [metric, value] of Object.entries(metrics)) {
      if (!Number.isFinite(value)) {
        throw new FlareError("aggregate/not-finite", `Metric ${quoted(metric)} of ${quoted(contributor)} is ${String(value)}.`, {
          facts: { contributor, metric, value: String(value) },
        });
      }
      const entry = sums.get(metric) ?? { sum: 0, weight: 0 };
      entry.sum += exact * value;
      entry.weight += exact;
      sums.set(metric, entry);
    }
  }
  const means = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([metric, { sum, weight }]) => [metric, sum / weight] as const);
  return Object.fromEntries(means);
}

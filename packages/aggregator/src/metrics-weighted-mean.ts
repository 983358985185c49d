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
  const sums = new Map<string, MetricSum>();
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
      const entry = sums.get(metric) ?? { sum: 0, scaledSum: 0, weight: 0 };
      entry.sum += exact * value;
      entry.scaledSum += exact * (value / scale);
      entry.weight += exact;
      sums.set(metric, entry);
    }
  }
  const means = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([metric, sum]) => [metric, meanOf(sum)] as const);
  return Object.fromEntries(means);
}

interface MetricSum {
  sum: number;
  /** The same divided by `scale`, for what is too large for a number only because it is weighted. */
  scaledSum: number;
  weight: number;
}

/** The largest number times the largest weight, divided by this, leaves room for as many contributors as there can be. */
const scale = 2 ** 200;

/** A mean of finite numbers is finite; rounding must not lead beyond the largest. */
function meanOf({ sum, scaledSum, weight }: MetricSum): number {
  if (Number.isFinite(sum)) return sum / weight;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, (scaledSum / weight) * scale));
}

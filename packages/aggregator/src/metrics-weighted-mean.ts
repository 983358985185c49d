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
 * they are summed in the order of their names. They are finite, as what they are made of is. Keys of the result are sorted.
 *
 * @throws `aggregate/weight-invalid`, `aggregate/not-finite`, `aggregate/contributor-twice`
 */
export function metricsWeightedMean(contributions: readonly WeightedMetrics[]): Record<string, number> {
  const terms = new Map<string, Term[]>();
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
      const those = terms.get(metric) ?? [];
      those.push({ weight: exact, value });
      terms.set(metric, those);
    }
  }
  const means = [...terms].sort(([a], [b]) => (a < b ? -1 : 1)).map(([metric, those]) => [metric, meanOf(those)] as const);
  return Object.fromEntries(means);
}

interface Term {
  readonly weight: number;
  readonly value: number;
}

/** With it no sum of weighted values is beyond float64; a power of two, which rounds nothing of such values. */
const unit = 2 ** -200;

function meanOf(terms: readonly Term[]): number {
  const total = terms.reduce((sum, { weight }) => sum + weight, 0);
  const sumIn = (scale: number): number => terms.reduce((sum, { weight, value }) => sum + weight * (value * scale), 0);
  const mean = sumIn(1) / total;
  if (Number.isFinite(mean)) return mean;
  // Rounding may bring it beyond the largest value.
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sumIn(unit) / total / unit));
}

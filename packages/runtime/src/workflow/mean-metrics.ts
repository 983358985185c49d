import { metricsWeightedMean } from "@flare-ts/aggregator";
import type { Metrics } from "../job/job-event.js";
import { type Contribution, nameOfUpdate } from "./workflow-machine.js";

/** Weighted mean of the contributors' metrics. */
export function meanMetrics(contributions: readonly Contribution[]): Metrics {
  return metricsWeightedMean(
    contributions.map((contribution) => ({
      contributor: nameOfUpdate(contribution),
      weight: contribution.weight,
      // JSON has no NaN: a metric that was none arrives as `null`, and is no reason to lose the round.
      metrics: Object.fromEntries(Object.entries(contribution.metrics).filter(([, value]) => Number.isFinite(value))),
    })),
  );
}

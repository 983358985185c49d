import { z } from "zod";
import { seconds } from "./seconds.js";

/** Sites that a sum is of, at least: of two, each knows the other's update when it sees the sum. */
export const leastSecureSites = 2;

/** How a job adds updates that its server cannot read, from `secure_aggregation` of its `meta.json`. */
export interface SecureAggregation {
  /** Sites of which a sum is made known, at least. */
  readonly minSites: number;
  /** Largest weight of an update; one with more is refused at its site. */
  readonly maxWeight: number;
  /** How long the sites of a sum have for each step that follows their updates. */
  readonly stepTimeoutMs: number;
}

/** `secure_aggregation` of a `meta.json`. */
export const secureAggregationSchema = z
  .strictObject({
    min_sites: z.int().min(leastSecureSites, `must be at least ${leastSecureSites}: the sum of one update is that update`).default(3),
    max_weight: z
      .int()
      .min(1)
      .max(2 ** 28)
      .default(1_000_000),
    step_timeout: seconds.default(300),
  })
  .transform(
    ({ min_sites: minSites, max_weight: maxWeight, step_timeout }): SecureAggregation =>
      Object.freeze({ minSites, maxWeight, stepTimeoutMs: Math.round(step_timeout * 1000) }),
  );

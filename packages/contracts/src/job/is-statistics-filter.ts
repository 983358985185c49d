import type { StatisticsFilter } from "./statistics-filters.js";

/** Filters of statistics, by their kinds. */
export const statisticsFilterKinds = ["MinCountCleanser", "AddNoiseToMinMax", "HistogramBinsCleanser"] as const;

/** Whether a filter is one of statistics, and not of tensors or what goes beside them. */
export function isStatisticsFilter(filter: { readonly kind: string }): filter is StatisticsFilter {
  return statisticsFilterKinds.some((kind) => kind === filter.kind);
}

import type { RoundView } from "./fold-journal.js";

/** Name of the curve that stands for all sites together. */
export const globalSeries = "global";

/** One curve: a value for each x, or nothing where there is none. */
export interface Curve {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** The curves of one metric over the same x. */
export interface MetricCurves {
  readonly metric: string;
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
}

/** The curves of every metric that rounds carry: of each site by its updates, and of all by the rounds' results. Rounds count from 1. */
export function metricCurves(rounds: readonly RoundView[]): readonly MetricCurves[] {
  const metrics = new Set<string>();
  const sites = new Set<string>();
  for (const round of rounds) {
    for (const name of Object.keys(round.metrics)) metrics.add(name);
    for (const site of round.sites.values()) {
      sites.add(site.site);
      for (const name of Object.keys(site.metrics)) metrics.add(name);
    }
  }
  const x = rounds.map(({ round }) => round + 1);
  return [...metrics].map((metric) => {
    const all: Curve[] = [
      { name: globalSeries, values: rounds.map((round) => round.metrics[metric] ?? null) },
      ...[...sites].sort().map((site) => ({ name: site, values: rounds.map((round) => round.sites.get(site)?.metrics[metric] ?? null) })),
    ];
    return { metric, x, curves: all.filter(({ values }) => values.some((value) => value !== null)) };
  });
}

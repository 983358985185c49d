import { namesIn, takesTurns, type WorkflowView } from "./workflow-view.js";

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

/** The curves of one metric over the rounds of one workflow, which count from 1. */
export interface RoundCurves extends MetricCurves {
  /** Its id; empty where the curves of all are of the same. */
  readonly workflow: string;
  /** Whether sites take turns: a site has a value in some rounds only, and nothing is between two of its values. */
  readonly areTurns: boolean;
}

/**
 * The curves of every metric that rounds of training carry: of each site by its updates, and of all by the rounds' results. What sites
 * measure of models that they are given, or say when they hand in their own, is about other models and is none of it.
 */
export function metricCurves(workflows: readonly WorkflowView[]): readonly RoundCurves[] {
  const curves = workflows.flatMap(curvesOf);
  const isOne = new Set(curves.map(({ workflow }) => workflow)).size <= 1;
  return isOne ? curves.map((one) => ({ ...one, workflow: "" })) : curves;
}

function curvesOf(workflow: WorkflowView): readonly RoundCurves[] {
  const areTurns = takesTurns(workflow);
  const rounds = workflow.rounds.filter(({ kind }) => kind === "train");
  const metrics = new Set(
    rounds.flatMap(({ metrics: ofAll, sites }) => [ofAll, ...[...sites.values()].map((site) => site.metrics)].flatMap(Object.keys)),
  );
  const x = rounds.map(({ number }) => number);
  return [...metrics].map((metric) => {
    const curves: Curve[] = [
      { name: globalSeries, values: rounds.map((round) => round.metrics[metric] ?? null) },
      ...namesIn(rounds).map((site) => ({ name: site, values: rounds.map((round) => round.sites.get(site)?.metrics[metric] ?? null) })),
    ];
    return { workflow: workflow.id, areTurns, metric, x, curves: curves.filter(({ values }) => values.some((value) => value !== null)) };
  });
}

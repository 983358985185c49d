import type { RoundView, SiteInRound, SiteRoundState } from "./round-view.js";
import { namesIn, type WorkflowView } from "./workflow-view.js";

/** A model at a site. `waiting`: its turn has not come; `not-asked`: the site was not there when it came. */
export interface EvaluationCell {
  readonly site: string;
  readonly state: SiteRoundState | "waiting" | "not-asked";
  /** What the site measured; `null` where it has not, or not by this metric. */
  readonly value: number | null;
}

/** One model at all sites. */
export interface EvaluationRow {
  /** As the journal names whose it is. */
  readonly owner: string;
  readonly cells: readonly EvaluationCell[];
  /** The mean over the sites, by their weights; `null` until all of them have answered. */
  readonly mean: number | null;
}

/** What sites measured of models: the server's first, then those of sites. */
export interface Evaluation {
  readonly sites: readonly string[];
  readonly rows: readonly EvaluationRow[];
}

/** Whether a workflow measures models, rather than trains. */
export function isEvaluation({ rounds }: WorkflowView): boolean {
  return rounds.some(({ kind }) => kind === "submit" || kind === "evaluate");
}

/** The metrics that sites measured, in the order in which they came. */
export function evaluationMetrics({ rounds }: WorkflowView): readonly string[] {
  return [...new Set(measured(rounds).flatMap(({ sites }) => [...sites.values()].flatMap(({ metrics }) => Object.keys(metrics))))];
}

/** The values of one metric. Models that sites have handed in stand there before it is their turn. */
export function evaluationOf({ rounds: all }: WorkflowView, metric: string): Evaluation {
  const rounds = measured(all);
  const sites = namesIn(all);
  const begun = new Set(rounds.map(({ evaluates }) => evaluates));
  const waiting = all.flatMap(({ handedIn }) => handedIn).filter((site) => !begun.has(site));
  return {
    sites,
    rows: [
      ...rounds.map((round) => ({
        owner: round.evaluates,
        cells: sites.map((site) => cellOf(site, round.sites.get(site), metric)),
        mean: round.metrics[metric] ?? null,
      })),
      ...waiting.map((owner) => ({ owner, cells: sites.map((site) => ({ site, state: "waiting", value: null }) as const), mean: null })),
    ],
  };
}

/** What an evaluation lacks, and why; a sentence for each site and cause. */
export function evaluationFaults({ rounds }: WorkflowView): readonly string[] {
  const models = new Map<string, { readonly site: string; readonly cause: string; readonly owners: string[] }>();
  const faults: string[] = [];
  for (const round of rounds) {
    for (const one of round.sites.values()) {
      const cause = causeOf(one);
      if (cause === undefined) continue;
      if (round.kind === "submit") faults.push(`${one.site} handed in no model: ${cause}`);
      if (round.kind !== "evaluate") continue;
      const key = JSON.stringify([one.site, cause]);
      const same = models.get(key) ?? { site: one.site, cause, owners: [] };
      models.set(key, same);
      same.owners.push(ownerName(round.evaluates));
    }
  }
  return [...faults, ...[...models.values()].map(({ site, cause, owners }) => `${site} has no value for ${owners.join(", ")}: ${cause}`)];
}

/** Whose model it is, for people. */
export function ownerName(owner: string): string {
  const known: Readonly<Record<string, string>> = { SRV_FL_global_model: "global model", SRV_best_FL_global_model: "best global model" };
  return known[owner] ?? (owner.startsWith("SRV_") ? `${owner.slice(4)} of the server` : owner);
}

function measured(rounds: readonly RoundView[]): readonly RoundView[] {
  return rounds.filter(({ kind }) => kind === "evaluate");
}

function cellOf(site: string, one: SiteInRound | undefined, metric: string): EvaluationCell {
  if (one === undefined) return { site, state: "not-asked", value: null };
  return { site, state: one.state, value: one.state === "answered" ? (one.metrics[metric] ?? null) : null };
}

function causeOf({ state, cause }: SiteInRound): string | undefined {
  if (state === "answered" || state === "working") return undefined;
  if (state === "missing") return "it did not answer";
  return state === "gone" ? `it is disconnected: ${cause}` : cause;
}

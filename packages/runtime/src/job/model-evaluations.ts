import type { ObjectRef } from "../store/model-store.js";
import type { JobEvent, JournalEntry, Metrics } from "./job-event.js";

/** A site whose answer is not there, and why, where that is known. */
export interface MissingSite {
  readonly site: string;
  readonly why?: string;
}

/** What a site has found of a model. */
export interface SiteMetrics {
  readonly site: string;
  readonly metrics: Metrics;
}

/** A model that sites evaluate, and what they have found. */
export interface EvaluatedModel {
  /** The site that it is of, or one of the server's with `SRV_` before its name. */
  readonly owner: string;
  readonly model: ObjectRef;
  /** The job's round in which it is evaluated. */
  readonly round: number;
  /** Answers that count, by the names of the sites; while the round is open, those that are there. */
  readonly found: readonly SiteMetrics[];
  /** Sites that were asked and have no answer that counts; while the round is open, those of which that is known. */
  readonly missing: readonly MissingSite[];
}

/** What came of one workflow that evaluates models: of each model, what each site has found. */
export interface ModelEvaluation {
  /** Id of the workflow, where the job has several. */
  readonly workflow?: string;
  /** In the order in which they are evaluated: the server's first. */
  readonly models: readonly EvaluatedModel[];
  /** Sites that were asked for a model of their own, and have handed in none that could be used. */
  readonly notHandedIn: readonly MissingSite[];
  /** Whether it has ended, or the job. */
  readonly isOver: boolean;
}

/** What is known of the evaluations of a job from the first entries of its journal. */
export interface KnownEvaluations {
  readonly evaluations: readonly ModelEvaluation[];
  /** The newest round. */
  readonly round?: KnownRound;
}

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

interface KnownRound {
  readonly opened: EventOf<"round-opened">;
  readonly found: readonly SiteMetrics[];
  readonly missing: readonly MissingSite[];
  readonly isClosed: boolean;
}

/** What an empty journal says. */
export const noEvaluations: KnownEvaluations = { evaluations: [] };

/** The evaluations in a journal, which is given from its first entry on. */
export function evaluationsOf(entries: Iterable<JournalEntry>): readonly ModelEvaluation[] {
  let known = noEvaluations;
  for (const entry of entries) known = addToEvaluations(known, entry);
  return known.evaluations;
}

/** Adds the next entry of a journal to what is known; what belongs to no evaluation changes nothing. Pure. */
export function addToEvaluations(known: KnownEvaluations, { event }: JournalEntry): KnownEvaluations {
  const { round, evaluations } = known;
  if (event.type === "round-opened") return opened(known, event);
  if (event.type === "workflow-ended" || event.type === "job-ended") return { ...known, evaluations: evaluations.map(over) };
  if (round === undefined || round.isClosed) return known;
  const next = withEvent(round, event);
  return next === round ? known : { round: next, evaluations: withRound(evaluations, next) };
}

/** A table of FLARE's form: by the site that evaluated, then by whose model it was. */
export type CrossValidationResults = Readonly<Record<string, Readonly<Record<string, Metrics>>>>;

/** What sites have found, in FLARE's form: what is missing is not there. */
export function crossValidationResults({ models }: Pick<ModelEvaluation, "models">): CrossValidationResults {
  const bySite = new Map<string, [owner: string, metrics: Metrics][]>();
  for (const { owner, found } of models) {
    for (const { site, metrics } of found) {
      const own = bySite.get(site) ?? [];
      bySite.set(site, own);
      own.push([owner, metrics]);
    }
  }
  const sorted = [...bySite].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([site, own]) => [site, Object.fromEntries(own)]));
}

function opened({ evaluations, round: before }: KnownEvaluations, event: EventOf<"round-opened">): KnownEvaluations {
  const round: KnownRound = { opened: event, found: [], missing: [], isClosed: false };
  const { evaluates: owner, workflow } = event;
  if (owner === undefined) return { evaluations, round };
  const last = evaluations.at(-1);
  const model: EvaluatedModel = { owner, model: event.model, round: event.round, found: [], missing: [] };
  if (last !== undefined && !last.isOver && last.workflow === workflow) {
    return { evaluations: [...evaluations.slice(0, -1), { ...last, models: [...last.models, model] }], round };
  }
  // A workflow that evaluates asks for models first, if it does.
  const isSubmission = before?.opened.evaluates === undefined && before?.opened.workflow === workflow;
  const notHandedIn = isSubmission ? (before?.missing ?? []) : [];
  const first = { ...(workflow === undefined ? {} : { workflow }), models: [model], notHandedIn, isOver: false };
  return { evaluations: [...evaluations, first], round };
}

/** A round that is open, with what was heard of it. */
function withEvent(round: KnownRound, event: JobEvent): KnownRound {
  if (event.type === "site-left") {
    const { site, error } = event;
    const isAwaited = round.opened.sites.includes(site) && !hasFound(round, site);
    return isAwaited ? withMissing(round, [{ site, why: error.message }]) : round;
  }
  if (!("round" in event) || event.round !== round.opened.round) return round;
  if (event.type === "update-accepted") {
    const { site, metrics } = event;
    // The first answer of a site counts.
    return hasFound(round, site) ? round : { ...round, found: [...round.found, { site, metrics }].sort(byName) };
  }
  if (event.type === "task-failed") return withMissing(round, [{ site: event.site, why: event.error.message }]);
  if (event.type === "deadline-passed") return withMissing(round, event.late ?? []);
  if (event.type !== "round-closed") return round;
  const found = round.found.filter(({ site }) => event.contributors.includes(site));
  const missing = event.missing.map((site) => round.missing.find((one) => one.site === site) ?? { site });
  return { ...round, found, missing, isClosed: true };
}

function hasFound({ found }: KnownRound, site: string): boolean {
  return found.some((one) => one.site === site);
}

/** The first reason that was given stands. */
function withMissing(round: KnownRound, more: readonly MissingSite[]): KnownRound {
  const news = more.filter(({ site }) => !round.missing.some((one) => one.site === site)).map(({ site, why }) => ({ site, why }));
  return { ...round, missing: [...round.missing, ...news].sort(byName) };
}

/** What the newest round says of the model that is evaluated in it. */
function withRound(
  evaluations: readonly ModelEvaluation[],
  { opened: { evaluates }, found, missing }: KnownRound,
): readonly ModelEvaluation[] {
  const last = evaluations.at(-1);
  const model = last?.models.at(-1);
  if (evaluates === undefined || last === undefined || model === undefined) return evaluations;
  const isHere = (site: string): boolean => missing.every((one) => one.site !== site);
  const changed = { ...model, found: found.filter(({ site }) => isHere(site)), missing };
  return [...evaluations.slice(0, -1), { ...last, models: [...last.models.slice(0, -1), changed] }];
}

function over(evaluation: ModelEvaluation): ModelEvaluation {
  return evaluation.isOver ? evaluation : { ...evaluation, isOver: true };
}

function byName(a: { readonly site: string }, b: { readonly site: string }): number {
  return a.site < b.site ? -1 : 1;
}

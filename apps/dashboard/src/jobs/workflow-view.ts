import type { RoundView } from "./round-view.js";

/** One of the workflows that a job goes through. */
export interface WorkflowView {
  /** As the job calls it; empty where the job has no other. */
  readonly id: string;
  /** Those of its rounds that were opened, the first one first. */
  readonly rounds: readonly RoundView[];
  /** Rounds that it does at most. */
  readonly totalRounds: number;
  /** Why it ended; `null` while it has not. */
  readonly endReason: string | null;
}

/** How many of a workflow's rounds are closed. */
export function closedRounds({ rounds }: Pick<WorkflowView, "rounds">): number {
  return rounds.filter(({ closedMs }) => closedMs !== null).length;
}

/**
 * Whether sites take turns: each round is of one site, and not always of the same. A round alone says little then: the others were not
 * asked, and wait for their own.
 */
export function takesTurns({ rounds }: Pick<WorkflowView, "rounds">): boolean {
  return rounds.every(({ sites, kind }) => sites.size === 1 && kind === "train") && namesIn(rounds).length > 1;
}

/** Whether a workflow asks sites what data they have, and for no model. */
export function isStatistics({ rounds }: Pick<WorkflowView, "rounds">): boolean {
  return rounds.some(({ kind }) => kind === "statistics");
}

/** Whether a workflow finds what identifiers all sites have. */
export function isIntersection({ rounds }: Pick<WorkflowView, "rounds">): boolean {
  return rounds.some(({ kind }) => kind === "intersection");
}

/** All sites of some rounds, sorted. */
export function namesIn(rounds: readonly RoundView[]): readonly string[] {
  return [...new Set(rounds.flatMap(({ sites }) => [...sites.keys()]))].sort();
}

import { type OwnRound, roundNumbersMeta } from "../job/round-numbers.js";
import { answeredSites, deadlineOf, presentSites } from "./round-quorum.js";
import type { OpenRound, RoundPlan, RoundState } from "./round-state.js";
import { sampleSites } from "./sample-sites.js";
import type { Contribution, WorkflowEffect } from "./workflow-machine.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** What rounds are numbered by. */
interface NumberedRounds {
  readonly firstRound: number;
  readonly settings: Pick<RoundPlan["settings"], "startRound" | "numRounds">;
}

/** All that is to be done in a state, in the order in which it is to be started. */
export function outstandingRoundEffects(plan: RoundPlan, state: RoundState): readonly WorkflowEffect[] {
  const { phase } = state;
  switch (phase.name) {
    case "between":
      return [...closeTask(phase.unclosedTask), ...saveBest(state), goOn(plan, state, phase)];
    case "collecting":
      return [...saveBest(state), assign(plan, phase), ...folds(phase, answeredSites(phase)), ...setDeadline(plan, state, phase)];
    case "closing":
      return [...saveBest(state), ...folds(phase, phase.contributors), aggregate(state, phase, phase.contributors)];
    case "ended":
      return [...saveBest(state), { type: "finish", model: state.model, reason: phase.reason }];
    case "failed":
      return [{ type: "fail", error: phase.error }];
    case "over":
    default:
      return [];
  }
}

function goOn(plan: RoundPlan, state: RoundState, phase: Extract<RoundState["phase"], { name: "between" }>): WorkflowEffect {
  if (phase.endReason !== undefined) return { type: "end", model: state.model, reason: phase.endReason };
  const { seed, taskName, numClients, numRounds } = plan.settings;
  const round = phase.nextRound;
  const sites = sampleSites(presentSites(plan, state), { seed, round: ownRound(plan, round).current, size: numClients });
  return { type: "open-round", round, task: taskName, model: state.model, sites, totalRounds: numRounds, ...nameOf(plan) };
}

/** Opens a task at sites, in the round whose model they are given. */
export function assign(
  plan: NumberedRounds,
  { round, task, model, sites }: Pick<OpenRound, "round" | "task" | "model" | "sites">,
): WorkflowEffect {
  const totalRounds = plan.settings.numRounds;
  return { type: "assign", round, task, model, sites, totalRounds, meta: roundNumbersMeta(ownRound(plan, round), { round, totalRounds }) };
}

/** A round as trainers count it. */
export function ownRound({ firstRound, settings: { startRound: start, numRounds: total } }: NumberedRounds, round: number): OwnRound {
  return { current: start + round - firstRound, start, total };
}

export function folds({ round, task, model, answers }: OpenRound, sites: readonly string[]): WorkflowEffect[] {
  return contributionsOf(answers, sites).map((contribution) => ({ type: "fold", round, task, model, contribution }));
}

function setDeadline(plan: RoundPlan, state: RoundState, open: OpenRound): WorkflowEffect[] {
  const atMs = deadlineOf(plan, state, open);
  return open.hasDeadlinePassed || atMs === undefined
    ? []
    : [{ type: "set-deadline", round: open.round, atMs, mostMs: atMs - open.openedAtMs }];
}

function aggregate(
  { strategyState: state }: RoundState,
  { round, task, model, sites, answers }: OpenRound,
  contributors: readonly string[],
): WorkflowEffect {
  const missing = sites.filter((site) => !contributors.includes(site));
  return { type: "aggregate", round, task, model, state, contributions: contributionsOf(answers, contributors), missing };
}

/** The workflow's name in the journal, where the job has several. */
export function nameOf({ workflow }: Pick<WorkflowPlan, "workflow">): { readonly workflow?: string } {
  return workflow === undefined ? {} : { workflow };
}

export function closeTask(unclosed: { readonly round: number; readonly task: string } | undefined): WorkflowEffect[] {
  return unclosed === undefined ? [] : [{ type: "close-task", ...unclosed }];
}

export function saveBest({ unsavedBest }: Pick<RoundState, "unsavedBest">): WorkflowEffect[] {
  return unsavedBest === undefined ? [] : [{ type: "save-best", ...unsavedBest }];
}

export function contributionsOf(answers: ReadonlyMap<string, Contribution>, sites: readonly string[]): Contribution[] {
  return sites.flatMap((site) => answers.get(site) ?? []);
}

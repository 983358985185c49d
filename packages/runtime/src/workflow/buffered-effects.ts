import { oldestBaseOf, sitesAtWork, sitesToAssign, withoutOlderThan } from "./buffered-sites.js";
import type { BufferedPhase, BufferedPlan, BufferedState, BufferedUpdate } from "./buffered-state.js";
import { assign, nameOf, saveBest } from "./round-effects.js";
import type { WorkflowEffect } from "./workflow-machine.js";

/** All that is to be done in a state, in the order in which it is to be started. */
export function outstandingBufferedEffects(plan: BufferedPlan, state: BufferedState): readonly WorkflowEffect[] {
  const { phase } = state;
  switch (phase.name) {
    case "between":
      return between(plan, state, phase);
    case "collecting":
      return [...underWay(plan, state), ...assignMore(plan, state, phase), ...folds(state, phase, state.buffer)];
    case "closing":
      return [...underWay(plan, state), ...folds(state, phase, phase.counted), aggregate(state, phase)];
    case "ended":
      return [...saveBest(state), { type: "finish", model: state.model, reason: phase.reason }];
    case "failed":
      return [{ type: "fail", error: phase.error }];
    case "over":
    default:
      return [];
  }
}

type PhaseOf<Name extends BufferedPhase["name"]> = Extract<BufferedPhase, { name: Name }>;

function between(plan: BufferedPlan, state: BufferedState, { nextRound: round, endReason }: PhaseOf<"between">): WorkflowEffect[] {
  const { model } = state;
  if (endReason !== undefined) return [...closeAll(plan, state), ...saveBest(state), { type: "end", model, reason: endReason }];
  const { taskName: task, numRounds: totalRounds, updatesForModel: updates } = plan.settings;
  const oldestBase = oldestBaseOf(plan, round);
  const sites = sitesToAssign(plan, withoutOlderThan(state, oldestBase), round);
  return [
    ...underWay(plan, state),
    { type: "open-round", round, task, model, sites, totalRounds, ...nameOf(plan), buffered: { oldestBase, updates } },
  ];
}

/** What goes on whether or not a model is being made. */
function underWay(plan: BufferedPlan, state: BufferedState): WorkflowEffect[] {
  const over = state.overRounds.map((round) => ({ type: "close-task", round, task: plan.settings.taskName }) as const);
  return [...over, ...saveBest(state), ...state.waves.map((wave) => assign(plan, wave))];
}

/** Each site by itself: they become idle one by one. */
function assignMore(plan: BufferedPlan, state: BufferedState, { round, task }: PhaseOf<"collecting">): WorkflowEffect[] {
  const { model } = state.bases.get(round) ?? state;
  return sitesToAssign(plan, state, round).map((site) => ({ type: "assign-more", round, task, model, sites: [site] }));
}

function folds(
  state: BufferedState,
  { round, task }: PhaseOf<"collecting" | "closing">,
  updates: readonly BufferedUpdate[],
): WorkflowEffect[] {
  const { model } = state.bases.get(round) ?? state;
  return updates.map((contribution) => ({ type: "fold", round, task, model, contribution }));
}

function aggregate(state: BufferedState, { round, task, counted }: PhaseOf<"closing">): WorkflowEffect {
  const { model } = state.bases.get(round) ?? state;
  const contributions = counted.toSorted((a, b) => (a.site === b.site ? a.base.round - b.base.round : a.site < b.site ? -1 : 1));
  return { type: "aggregate", round, task, model, state: state.strategyState, contributions, missing: [] };
}

/** Nobody wants the answers of sites that are at work as the workflow ends. */
function closeAll(plan: BufferedPlan, state: BufferedState): WorkflowEffect[] {
  const rounds = new Set([...state.overRounds, ...sitesAtWork(state).flatMap((site) => state.sites.get(site)?.round ?? [])]);
  return [...rounds].sort((a, b) => a - b).map((round) => ({ type: "close-task", round, task: plan.settings.taskName }));
}

import { stepTask } from "../secure-aggregation/step-tasks.js";
import { hasFailed } from "./open-round.js";
import { answersOf, awaitedIn, lostIn } from "./open-step.js";
import { ownRound } from "./round-effects.js";
import { quorumOf } from "./round-quorum.js";
import { sampleSites } from "./sample-sites.js";
import type { OpenStep, RoundSum, SecureRoundPlan, SecureRoundState } from "./secure-round-state.js";
import type { Contribution, StepSource, WorkflowEffect } from "./workflow-machine.js";

type EffectOf<Type extends WorkflowEffect["type"]> = Extract<WorkflowEffect, { type: Type }>;

/** What is to be done about the sum of a round that is closing. */
export type NextOfSum =
  | {
      readonly open: EffectOf<"open-step">;
      /** The updates that are to be added, where that is to be confirmed. */
      readonly contributions?: readonly Contribution[];
    }
  | { readonly add: RoundSum }
  | { readonly giveUp: RoundSum }
  | { readonly wait: RoundSum };

/** @returns `undefined` where no round is closing */
export function nextOfSum({ rounds, sum, roster }: SecureRoundState): NextOfSum | undefined {
  const { phase, left } = rounds;
  if (phase.name !== "closing" || roster === undefined) return undefined;
  const { round, task, model, contributors, answers } = phase;
  const opened = { type: "open-step", round } as const;
  const confirm = (attempt: number, keys: StepSource & { kind: "statement" }): NextOfSum => ({
    open: {
      ...opened,
      task: stepTask(task, "confirm", attempt),
      step: "confirm",
      attempt,
      sites: keys.contributions.map(({ site }) => site),
      of: keys,
    },
    contributions: keys.contributions,
  });
  if (sum === undefined) {
    const contributions = contributors.flatMap((site) => answers.get(site) ?? []);
    return confirm(0, { kind: "statement", baseTask: task, model, roster, contributions });
  }
  const { step, attempt } = sum;
  const lost = lostIn(step, left);
  const answered = answersOf(step);
  if (step.step === "reveal") {
    if (lost.length > 0) return { giveUp: sum };
    return answered.length === step.sites.length ? { add: sum } : { wait: sum };
  }
  // Nothing is revealed yet: a site that has left since it answered need not be waited for in vain.
  const gone = step.sites.filter((site) => lost.includes(site) || hasFailed(left, site));
  if (step.step === "mask") {
    if (!step.hasDeadlinePassed && awaitedIn(step, left).length > 0) return { wait: sum };
    const contributions = answered.flatMap(([site, update]): Contribution[] => {
      const first = gone.includes(site) ? undefined : answers.get(site);
      return first === undefined ? [] : [{ ...first, update }];
    });
    return confirm(attempt, { kind: "statement", baseTask: task, model, roster: sum.roster, contributions });
  }
  if (gone.length > 0) {
    const sites = step.sites.filter((site) => !gone.includes(site));
    const next = attempt + 1;
    return {
      open: { ...opened, task: stepTask(task, "mask", next), step: "mask", attempt: next, sites, of: { kind: "roster", keys: [] } },
    };
  }
  if (answered.length < step.sites.length) return { wait: sum };
  const of: StepSource = { kind: "proof", statement: step.document, confirmations: answered, confirmTask: step.task };
  return { open: { ...opened, task: stepTask(task, "reveal", attempt), step: "reveal", attempt, sites: step.sites, of } };
}

/** All that is to be done in a state, in the order in which it is to be started; `inner` is what the rounds want by themselves. */
export function outstandingSecureEffects(
  plan: SecureRoundPlan,
  state: SecureRoundState,
  inner: readonly WorkflowEffect[],
): readonly WorkflowEffect[] {
  if (state.failed !== undefined) return [{ type: "fail", error: state.failed }];
  return inner.flatMap((effect): readonly WorkflowEffect[] => {
    if (effect.type === "open-round") return openRound(plan, state, effect);
    if (effect.type === "assign" && state.roster !== undefined) return [withRoster(effect, state.roster)];
    return effect.type === "aggregate" ? sumEffects(plan, state, effect) : [effect];
  });
}

/** Keys first, then rounds of the sites that have one. */
function openRound(plan: SecureRoundPlan, state: SecureRoundState, effect: EffectOf<"open-round">): readonly WorkflowEffect[] {
  const { keys, rounds } = state;
  const { left } = rounds;
  const present = plan.sites.filter((site) => !hasFailed(left, site));
  if (keys === undefined) {
    const task = stepTask(effect.task, "keys", 0);
    return [{ type: "open-step", round: effect.round, task, step: "keys", attempt: 0, sites: present, of: { kind: "nothing" } }];
  }
  const known = answersOf(keys).filter(([site]) => !hasFailed(left, site));
  const isEnough = awaitedIn(keys, left).length === 0 || (keys.hasDeadlinePassed && known.length >= quorumOf(plan));
  if (!isEnough) return [assignStep(plan, keys), ...stepDeadline(plan, keys)];
  const { seed, numClients: size } = plan.settings;
  const sites = sampleSites(
    known.map(([site]) => site),
    { seed, round: ownRound(plan, effect.round).current, size },
  );
  return [{ ...effect, sites, keys: known.filter(([site]) => sites.includes(site)) }];
}

function sumEffects(plan: SecureRoundPlan, state: SecureRoundState, effect: EffectOf<"aggregate">): readonly WorkflowEffect[] {
  const next = nextOfSum(state);
  if (next === undefined) return [];
  if ("open" in next) return [...closeStep(state), withKeys(state, next.open)];
  if ("wait" in next) {
    const { step } = next.wait;
    return [assignStep(plan, step), ...foldsOf(state, next.wait, effect), ...stepDeadline(plan, step)];
  }
  const { round, task, model, state: strategyState } = effect;
  const { phase } = state.rounds;
  const asked = phase.name === "closing" ? phase.sites : [];
  if ("giveUp" in next) return [...closeStep(state), { type: "close-round", round, model, contributions: [], missing: asked }];
  const { contributions, masked, step } = next.add;
  const missing = asked.filter((site) => !contributions.some((one) => one.site === site));
  const revealed = answersOf(step);
  return [{ type: "unmask", round, task, model, state: strategyState, contributions, missing, masked, revealed, revealTask: step.task }];
}

/** Updates that were masked anew are looked at as they come. */
function foldsOf({ rounds: { phase } }: SecureRoundState, { step }: RoundSum, { model }: EffectOf<"aggregate">): WorkflowEffect[] {
  if (step.step !== "mask" || phase.name !== "closing") return [];
  return answersOf(step).flatMap(([site, update]) => {
    const first = phase.answers.get(site);
    return first === undefined ? [] : [{ type: "fold", round: step.round, task: step.task, model, contribution: { ...first, update } }];
  });
}

/** Sites that have not answered need not any more. */
function closeStep({ sum }: SecureRoundState): WorkflowEffect[] {
  if (sum === undefined || sum.step.answers.size === sum.step.sites.length) return [];
  return [{ type: "close-task", round: sum.step.round, task: sum.step.task }];
}

function withKeys({ keys }: SecureRoundState, effect: EffectOf<"open-step">): EffectOf<"open-step"> {
  if (effect.of.kind !== "roster" || keys === undefined) return effect;
  return { ...effect, of: { kind: "roster", keys: answersOf(keys).filter(([site]) => effect.sites.includes(site)) } };
}

function withRoster(effect: EffectOf<"assign">, roster: EffectOf<"assign">["model"]): WorkflowEffect {
  const secure = { step: "mask", attempt: 0, roster };
  return { ...effect, meta: { ...effect.meta, secure_aggregation: secure }, reads: [roster] };
}

function assignStep(plan: SecureRoundPlan, { round, task, step, attempt, document, sites }: OpenStep): WorkflowEffect {
  const meta = { secure_aggregation: { step, attempt } };
  return { type: "assign", round, task, model: document, sites, totalRounds: plan.settings.numRounds, meta };
}

function stepDeadline({ secure }: SecureRoundPlan, { round, task, openedAtMs, hasDeadlinePassed }: OpenStep): WorkflowEffect[] {
  const { stepTimeoutMs } = secure;
  return hasDeadlinePassed ? [] : [{ type: "set-deadline", round, task, atMs: openedAtMs + stepTimeoutMs, mostMs: stepTimeoutMs }];
}

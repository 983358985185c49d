import type { SerializedFlareError } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry, StrategyState } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import { type OwnRound, roundNumbersMeta } from "../job/round-numbers.js";
import type { ObjectRef } from "../store/model-store.js";
import { hasFailed, hasHeardOf, isOfRound, openedRound, withAnswerOf, withFailureOf, withLeft } from "./open-round.js";
import { closeTask, contributionsOf, folds, nameOf } from "./round-effects.js";
import { answeredSites, mandatorySiteLost, pendingSites, presentSites } from "./round-quorum.js";
import type { OpenRound } from "./round-state.js";
import type { SiteFailure } from "./site-failure.js";
import type { WorkflowEffect, WorkflowMachine } from "./workflow-machine.js";
import type { WorkflowPlan } from "./workflow-plan.js";

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

/** What becomes of the answers of a round: one model, a model of each, their metrics alone, or what is read in them. */
export type RoundUse = "combine" | "collect" | "measure" | "summarize";

/** A round that is to be held. */
export interface ScriptedRound {
  readonly type: "round";
  readonly task: string;
  readonly model: ObjectRef;
  /** What each site is given, where that is not `model` for all of them. */
  readonly models?: Readonly<Record<string, ObjectRef>> | undefined;
  readonly sites: readonly string[];
  readonly totalRounds: number;
  readonly use: RoundUse;
  /** What sites are asked for instead of models. */
  readonly asks?: "statistics" | "intersection";
  /** Time from its opening until it closes with what is there; `undefined`: until each site has answered or is given up. */
  readonly timeoutMs: number | undefined;
  /** As trainers count it. */
  readonly own: OwnRound;
  /** Whose model is evaluated. */
  readonly evaluates?: string;
  /** What the round before has kept for this one. */
  readonly state?: StrategyState | undefined;
}

/** What comes next. */
export type ScriptStep =
  | ScriptedRound
  | { readonly type: "end"; readonly model: ObjectRef; readonly reason: string }
  | { readonly type: "fail"; readonly error: SerializedFlareError };

/** A round that has closed. */
export interface HeldRound {
  readonly scripted: ScriptedRound;
  readonly open: OpenRound;
  readonly closed: EventOf<"round-closed">;
}

/** A workflow that is told by what its next round is, given those that it has held. Pure. */
export interface WorkflowScript<Held> {
  /** Before the first round. */
  readonly initial: Held;
  /** @param present - sites of the job that did not leave it */
  next(held: Held, present: readonly string[]): ScriptStep;
  after(held: Held, round: HeldRound): Held;
}

/** Where such a workflow stands. */
export interface ScriptState<Held> {
  readonly held: Held;
  /** Sites that left the job, in the order in which they did. */
  readonly left: readonly SiteFailure[];
  readonly phase: ScriptPhase;
}

type ScriptPhase =
  | {
      readonly name: "between";
      readonly nextRound: number;
      /** The task of the last round, when some site never answered it. */
      readonly unclosedTask: { readonly round: number; readonly task: string } | undefined;
    }
  | (RoundPhase & { readonly name: "collecting" })
  | (RoundPhase & { readonly name: "closing" /** Sites whose answers count, sorted. */; readonly contributors: readonly string[] })
  | { readonly name: "ended"; readonly model: ObjectRef; readonly reason: string }
  | { readonly name: "failed"; readonly error: SerializedFlareError }
  | { readonly name: "over"; readonly status: JobStatus };

interface RoundPhase {
  readonly open: OpenRound;
  readonly scripted: ScriptedRound;
}

/**
 * Rounds one after another, without a quorum: a round closes when every site that still can answer has done so, or at its deadline, with
 * whatever is there. All times come from the journal, none from a clock.
 */
export function scriptMachine<Held>(plan: WorkflowPlan, script: WorkflowScript<Held>): WorkflowMachine<ScriptState<Held>> {
  const settle = (state: ScriptState<Held>): ScriptState<Held> => settled(plan, script, state);
  const phase: ScriptPhase = { name: "between", nextRound: plan.firstRound, unclosedTask: undefined };
  return {
    initial: settle({ held: script.initial, left: plan.left, phase }),
    step: (state, entry) => {
      const next = stepEvent(plan, script, state, entry);
      return next === state ? state : settle(next);
    },
    outstanding: (state) => outstanding(plan, script, state),
  };
}

function stepEvent<Held>(
  plan: WorkflowPlan,
  script: WorkflowScript<Held>,
  state: ScriptState<Held>,
  { event, atMs }: JournalEntry,
): ScriptState<Held> {
  const { phase } = state;
  if (event.type === "job-ended") return { ...state, phase: { name: "over", status: event.status } };
  if (phase.name === "over") return state;
  if (event.type === "site-left") return hasFailed(state.left, event.site) ? state : { ...state, left: withLeft(state.left, event) };
  if (event.type === "workflow-ended") return { ...state, phase: { name: "ended", model: event.model, reason: event.reason } };
  if (phase.name === "between") {
    if (event.type !== "round-opened" || event.round !== phase.nextRound) return state;
    const scripted = script.next(state.held, presentSites(plan, state));
    return scripted.type === "round" ? { ...state, phase: { name: "collecting", open: openedRound(event, atMs), scripted } } : state;
  }
  if (phase.name !== "collecting" && phase.name !== "closing") return state;
  const open = stepRound(phase.open, event);
  if (open !== phase.open) return afterAnswer(state, phase, open);
  if (event.type !== "round-closed" || phase.name !== "closing" || event.round !== open.round) return state;
  const missed = open.sites.filter((site) => !hasHeardOf(open, site));
  const unclosedTask = missed.length === 0 ? undefined : { round: open.round, task: open.task };
  return {
    ...state,
    held: script.after(state.held, { scripted: phase.scripted, open, closed: event }),
    phase: { name: "between", nextRound: event.round + 1, unclosedTask },
  };
}

function stepRound(open: OpenRound, event: JobEvent): OpenRound {
  if (event.type === "update-accepted") return isOfRound(open, event) && !hasHeardOf(open, event.site) ? withAnswerOf(open, event) : open;
  if (event.type === "task-failed")
    return isOfRound(open, event) && !hasFailed(open.failures, event.site) ? withFailureOf(open, event) : open;
  if (event.type === "deadline-passed" && event.round === open.round && !open.hasDeadlinePassed)
    return { ...open, hasDeadlinePassed: true };
  return open;
}

/** A round that is closing is judged anew when an answer that it counts on turns out to be unusable; what else comes is too late. */
function afterAnswer<Held>(
  state: ScriptState<Held>,
  phase: Extract<ScriptPhase, { name: "collecting" | "closing" }>,
  open: OpenRound,
): ScriptState<Held> {
  if (phase.name !== "closing") return { ...state, phase: { ...phase, open } };
  const isAffected = phase.contributors.some((site) => hasFailed(open.failures, site));
  return isAffected
    ? { ...state, phase: { name: "collecting", open, scripted: phase.scripted } }
    : { ...state, phase: { ...phase, open: { ...phase.open, failures: open.failures } } };
}

/** Draws the conclusions that follow from a state without another event. */
function settled<Held>(plan: WorkflowPlan, script: WorkflowScript<Held>, state: ScriptState<Held>): ScriptState<Held> {
  const { phase } = state;
  if (phase.name !== "between" && phase.name !== "collecting" && phase.name !== "closing") return state;
  const next = phase.name === "between" ? script.next(state.held, presentSites(plan, state)) : undefined;
  if (next?.type === "end") return state;
  const lost = state.left.find(({ site }) => plan.mandatoryClients.includes(site));
  if (lost !== undefined) return { ...state, phase: { name: "failed", error: mandatorySiteLost(lost) } };
  if (next?.type === "fail") return { ...state, phase: { name: "failed", error: next.error } };
  if (phase.name !== "collecting") return state;
  const isComplete = phase.open.hasDeadlinePassed || pendingSites(phase.open, state.left).length === 0;
  return isComplete ? { ...state, phase: { ...phase, name: "closing", contributors: answeredSites(phase.open) } } : state;
}

function outstanding<Held>(plan: WorkflowPlan, script: WorkflowScript<Held>, state: ScriptState<Held>): readonly WorkflowEffect[] {
  const { phase } = state;
  switch (phase.name) {
    case "between":
      return [...closeTask(phase.unclosedTask), ...goOn(plan, phase.nextRound, script.next(state.held, presentSites(plan, state)))];
    case "collecting":
      return [assign(phase), ...foldsOf(phase, answeredSites(phase.open)), ...setDeadline(phase)];
    case "closing":
      return [...foldsOf(phase, phase.contributors), close(phase)];
    case "ended":
      return [{ type: "finish", model: phase.model, reason: phase.reason }];
    case "failed":
      return [{ type: "fail", error: phase.error }];
    case "over":
    default:
      return [];
  }
}

function goOn(plan: WorkflowPlan, round: number, next: ScriptStep): WorkflowEffect[] {
  if (next.type === "end") return [{ type: "end", model: next.model, reason: next.reason }];
  // A state that fails is settled to have failed.
  if (next.type === "fail") return [];
  const { task, model, models, sites, totalRounds, evaluates, asks } = next;
  const whose = evaluates === undefined ? {} : { evaluates };
  const what = asks === undefined ? {} : { asks };
  return [{ type: "open-round", round, task, model, sites, totalRounds, ...nameOf(plan), ...whose, ...what, ...given(models) }];
}

/** What sites are given, where that is not the same for all. */
function given(models: OpenRound["models"]): { readonly models?: Readonly<Record<string, ObjectRef>> } {
  return models === undefined ? {} : { models };
}

function assign({ open, scripted }: RoundPhase): WorkflowEffect {
  const { round, task, model, models, sites } = open;
  const { totalRounds, own, evaluates } = scripted;
  const numbers = roundNumbersMeta(own, { round, totalRounds });
  const meta = evaluates === undefined ? numbers : { ...numbers, model_owner: evaluates };
  return { type: "assign", round, task, model, ...given(models), sites, totalRounds, meta };
}

function foldsOf({ open, scripted }: RoundPhase, sites: readonly string[]): WorkflowEffect[] {
  return scripted.use === "combine" ? folds(open, sites) : [];
}

function setDeadline({ open, scripted: { timeoutMs } }: RoundPhase): WorkflowEffect[] {
  if (timeoutMs === undefined || open.hasDeadlinePassed) return [];
  return [{ type: "set-deadline", round: open.round, atMs: open.openedAtMs + timeoutMs, mostMs: timeoutMs }];
}

function close({ open, scripted, contributors }: Extract<ScriptPhase, { name: "closing" }>): WorkflowEffect {
  const { round, task, model, models, sites, answers } = open;
  const contributions = contributionsOf(answers, contributors);
  const missing = sites.filter((site) => !contributors.includes(site));
  if (scripted.use === "measure" || contributions.length === 0) return { type: "close-round", round, model, contributions, missing };
  if (scripted.use === "summarize") {
    return { type: "summarize", round, task, model, ...given(models), state: scripted.state, contributions, missing };
  }
  if (scripted.use === "collect") return { type: "collect", round, task, model, contributions, missing };
  return { type: "aggregate", round, task, model, state: undefined, contributions, missing };
}

import type { JobEvent, JournalEntry, Metrics } from "../job/job-event.js";
import { withAnswer, withMissed } from "./answer-times.js";
import { endReasonAfter, withValue } from "./judge-model.js";
import { factorOf, hasFailed, hasHeardOf, isOfRound, openedRound, withAnswerOf, withFailureOf, withLeft } from "./open-round.js";
import { outstandingRoundEffects } from "./round-effects.js";
import { answeredSites, mandatorySiteLost, pendingSites, presentSites, quorumLost, quorumOf } from "./round-quorum.js";
import type { OpenRound, RoundPlan, RoundState } from "./round-state.js";
import type { WorkflowMachine } from "./workflow-machine.js";

/**
 * Rounds of FedAvg as a pure machine: draw sites, collect answers, close at quorum and deadline, go on with the new model.
 *
 * - A site's first answer in a round counts; whatever comes after it, or after the round, does not.
 * - Where the job sets no deadline, it follows from how long sites took in earlier rounds; `answer-times.ts` says how.
 * - A round closes when every site that still can answer has done so, or when its deadline has passed and it has its
 *   quorum, whichever is first. A deadline that passes below the quorum closes the round at the moment the quorum is there.
 * - A round that can no longer get its quorum ends the job with an error that names the sites.
 * - `FLModel.metrics` are those of the model that the site received, measured before it trained (FLARE's convention).
 *   So the metrics of round r judge the model that round r started from, and that is the model that can be the best one.
 *   A stop condition or patience ends the workflow after the round in which it came true, with that round's new model.
 *
 * All times come from the journal, none from a clock.
 */
export function roundMachine(plan: RoundPlan): WorkflowMachine<RoundState> {
  return {
    initial: settle(plan, initialState(plan)),
    step: (state, entry) => {
      const next = stepEvent(plan, state, entry);
      return next === state ? state : settle(plan, next);
    },
    outstanding: (state) => outstandingRoundEffects(plan, state),
  };
}

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

function initialState(plan: RoundPlan): RoundState {
  return {
    model: plan.initialModel,
    strategyState: undefined,
    left: plan.left,
    times: new Map(),
    best: undefined,
    unsavedBest: undefined,
    phase: { name: "between", nextRound: plan.firstRound, endReason: undefined, unclosedTask: undefined },
  };
}

function stepEvent(plan: RoundPlan, state: RoundState, entry: JournalEntry): RoundState {
  const { event } = entry;
  if (event.type === "job-ended") return { ...state, phase: { name: "over", status: event.status } };
  if (state.phase.name === "over") return state;
  switch (event.type) {
    case "round-opened":
      return openRound(state, event, entry.atMs);
    case "update-accepted":
      return takeAnswer(plan, state, event, entry.atMs);
    case "task-failed":
      return takeFailure(plan, state, event);
    case "site-left":
      return hasFailed(state.left, event.site) ? state : { ...state, left: withLeft(state.left, event) };
    case "deadline-passed":
      return passDeadline(state, event);
    case "round-closed":
      return closeRound(plan, state, event);
    case "best-model":
      return state.unsavedBest?.round === event.round ? { ...state, unsavedBest: undefined } : state;
    case "workflow-ended":
      return { ...state, model: event.model, phase: { name: "ended", reason: event.reason } };
    case "job-submitted":
    case "round-receipt":
    case "task-assigned":
    case "step-opened":
    case "step-answered":
    case "job-started":
    case "site-connected":
    case "site-disconnected":
    case "process-restarted":
      return state;
    default:
      // A newer version may have added a kind of event; it decided nothing here.
      return state;
  }
}

function openRound(state: RoundState, event: EventOf<"round-opened">, atMs: number): RoundState {
  const { phase } = state;
  if (phase.name !== "between" || phase.endReason !== undefined || event.round !== phase.nextRound) return state;
  return { ...state, phase: { name: "collecting", ...openedRound(event, atMs) } };
}

function takeAnswer(plan: RoundPlan, state: RoundState, event: EventOf<"update-accepted">, atMs: number): RoundState {
  const { phase } = state;
  if (!isOpen(phase, event) || hasHeardOf(phase, event.site)) return state;
  const { site } = event;
  const open = withAnswerOf(phase, event, factorOf(plan.settings, site));
  const times = withAnswer(state.times, site, atMs - phase.openedAtMs);
  return { ...state, times, phase: { ...phase, ...open, quorumAtMs: quorumTime(plan, open, atMs) } };
}

/** A failure after an answer means that the answer turned out to be unusable: it is taken back, and the round judged anew. */
function takeFailure(plan: RoundPlan, state: RoundState, event: EventOf<"task-failed">): RoundState {
  const { phase } = state;
  if (!isOpen(phase, event) || hasFailed(phase.failures, event.site)) return state;
  const open = withFailureOf(phase, event);
  const quorumAtMs = answeredSites(open).length < quorumOf(plan) ? undefined : open.quorumAtMs;
  const isAffected = phase.name === "closing" && phase.contributors.includes(event.site);
  if (phase.name === "closing" && !isAffected) return { ...state, phase: { ...phase, failures: open.failures } };
  return { ...state, phase: { ...open, name: "collecting", quorumAtMs } };
}

function passDeadline(state: RoundState, event: EventOf<"deadline-passed">): RoundState {
  const { phase } = state;
  if (phase.name !== "collecting" || phase.round !== event.round || phase.hasDeadlinePassed) return state;
  return { ...state, phase: { ...phase, hasDeadlinePassed: true } };
}

function closeRound(plan: RoundPlan, state: RoundState, event: EventOf<"round-closed">): RoundState {
  const { phase } = state;
  if (phase.name !== "closing" || phase.round !== event.round) return state;
  const judged = judge(plan, state, event.metrics, phase);
  const answered = new Set(phase.answers.keys());
  const failed = new Set(phase.failures.map(({ site }) => site));
  const missed = phase.sites.filter((site) => !answered.has(site) && !failed.has(site));
  return {
    ...judged,
    times: withMissed(state.times, missed),
    model: event.model,
    strategyState: event.state ?? {},
    phase: {
      name: "between",
      nextRound: event.round + 1,
      endReason: endReasonAfter(plan, judged.best, event),
      unclosedTask: missed.length > 0 ? { round: phase.round, task: phase.task } : undefined,
    },
  };
}

/** Compares the model that a round started from with the best one so far. */
function judge(plan: RoundPlan, state: RoundState, metrics: Metrics, { round, model }: OpenRound): RoundState {
  const { keyMetric: metric } = plan.settings;
  const value = metrics[metric];
  if (value === undefined) return state;
  const best = withValue(state.best, value, plan.settings);
  return best.staleRounds > 0 ? { ...state, best } : { ...state, best, unsavedBest: { round, model, metric, value } };
}

/** Draws the conclusions that follow from a state without another event: a round closes, or the job has failed. */
function settle(plan: RoundPlan, state: RoundState): RoundState {
  const { phase } = state;
  if (phase.name !== "between" && phase.name !== "collecting" && phase.name !== "closing") return state;
  if (phase.name === "between" && phase.endReason !== undefined) return state;
  const lost = state.left.find(({ site }) => plan.mandatoryClients.includes(site));
  if (lost !== undefined) return { ...state, phase: { name: "failed", error: mandatorySiteLost(lost) } };
  if (phase.name === "between") {
    const present = presentSites(plan, state).length;
    if (present >= quorumOf(plan)) return state;
    return { ...state, phase: { name: "failed", error: quorumLost(plan, phase.nextRound, present, state.left) } };
  }
  return phase.name === "collecting" ? settleRound(plan, state, phase) : state;
}

function settleRound(plan: RoundPlan, state: RoundState, open: OpenRound): RoundState {
  const answered = answeredSites(open);
  const pending = pendingSites(open, state.left);
  const possible = answered.length + pending.length;
  const quorum = quorumOf(plan);
  if (possible < quorum) {
    const lost = state.left.filter(({ site }) => open.sites.includes(site) && !open.answers.has(site));
    return { ...state, phase: { name: "failed", error: quorumLost(plan, open.round, possible, [...open.failures, ...lost]) } };
  }
  const isComplete = pending.length === 0 || (open.hasDeadlinePassed && answered.length >= quorum);
  return isComplete ? { ...state, phase: { ...open, name: "closing", contributors: answered } } : state;
}

function isOpen(
  phase: RoundState["phase"],
  event: { readonly round: number; readonly task: string; readonly site: string },
): phase is Extract<RoundState["phase"], { name: "collecting" | "closing" }> {
  return (phase.name === "collecting" || phase.name === "closing") && isOfRound(phase, event);
}

function quorumTime(plan: RoundPlan, open: OpenRound, atMs: number): number | undefined {
  return open.quorumAtMs ?? (answeredSites(open).length >= quorumOf(plan) ? atMs : undefined);
}

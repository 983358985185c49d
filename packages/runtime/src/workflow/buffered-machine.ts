import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { outstandingBufferedEffects } from "./buffered-effects.js";
import { mayTake, roundsInUse, sitesAtWork, sitesToAssign, withoutOlderThan } from "./buffered-sites.js";
import type { BufferedPhase, BufferedPlan, BufferedState, BufferedUpdate, SiteTurn } from "./buffered-state.js";
import { endReasonAfter, withValue } from "./judge-model.js";
import { meanMetrics } from "./mean-metrics.js";
import { factorOf, hasFailed, withLeft } from "./open-round.js";
import { mandatorySiteLost, presentSites, sitesLost } from "./round-quorum.js";
import type { WorkflowMachine } from "./workflow-machine.js";

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

/**
 * Buffered asynchronous aggregation as a pure machine. A round is the making of one model: it opens with the newest one, which idle sites are
 * given, and closes when the buffer has its updates. Sites that are at work by then stay at work; what they hand in later counts in whichever
 * round is open, against the model that they were given.
 *
 * - A site is given a model once, and works on one at a time. As soon as it has handed in or failed, it is given the newest, unless that is
 *   the one it had; then it waits for the next.
 * - Updates count in the order in which the journal has them. Those that come while a model is being made wait for the next.
 * - Where no site is at work, and none may be given the newest model, a model is made of fewer updates; of none, the job fails.
 * - A site's task is over, and its update too old, once more models than `maxStaleness` were made since the one that it was given.
 * - `FLModel.metrics` judge the model that the site was given: a model can be the best one once no site is at work on it any more.
 *   A stop condition looks at the mean of what the updates in a model say.
 *
 * @see Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", AISTATS 2022
 */
export function bufferedMachine(plan: BufferedPlan): WorkflowMachine<BufferedState> {
  return {
    initial: settle(plan, initialState(plan)),
    step: (state, entry) => {
      const next = stepEvent(plan, state, entry);
      return next === state ? state : settle(plan, next);
    },
    outstanding: (state) => outstandingBufferedEffects(plan, state),
  };
}

function initialState(plan: BufferedPlan): BufferedState {
  return {
    model: plan.initialModel,
    strategyState: undefined,
    left: plan.left,
    sites: new Map(),
    bases: new Map(),
    buffer: [],
    waves: [],
    overRounds: [],
    failures: [],
    best: undefined,
    unsavedBest: undefined,
    phase: { name: "between", nextRound: plan.firstRound, endReason: undefined },
  };
}

function stepEvent(plan: BufferedPlan, state: BufferedState, entry: JournalEntry): BufferedState {
  const { event, seq } = entry;
  if (event.type === "job-ended") return { ...state, phase: { name: "over", status: event.status } };
  if (state.phase.name === "over") return state;
  switch (event.type) {
    case "round-opened":
      return openRound(plan, state, event, seq);
    case "task-assigned":
      return assign(plan, state, event, seq);
    case "update-accepted":
      return takeUpdate(plan, state, event);
    case "task-failed":
      return takeFailure(state, event);
    case "site-left":
      return hasFailed(state.left, event.site) ? state : { ...state, left: withLeft(state.left, event) };
    case "round-closed":
      return closeRound(plan, state, event);
    case "best-model":
      return state.unsavedBest?.round === event.round ? { ...state, unsavedBest: undefined } : state;
    case "workflow-ended":
      return { ...state, model: event.model, phase: { name: "ended", reason: event.reason } };
    case "job-submitted":
    case "job-started":
    case "site-connected":
    case "site-disconnected":
    case "deadline-passed":
    case "process-restarted":
    case "round-receipt":
    case "step-answered":
    case "step-opened":
    default:
      return state;
  }
}

function openRound(plan: BufferedPlan, state: BufferedState, event: EventOf<"round-opened">, seq: number): BufferedState {
  const { phase } = state;
  if (phase.name !== "between" || phase.endReason !== undefined || event.round !== phase.nextRound) return state;
  const { round, task, model } = event;
  const oldestBase = event.buffered?.oldestBase ?? round;
  const over = sitesAtWork(state).flatMap((site) => state.sites.get(site)?.round ?? []);
  const opened: BufferedState = {
    ...withoutOlderThan(state, oldestBase),
    bases: new Map(state.bases).set(round, { model, answers: [] }),
    overRounds: [...new Set(over)].filter((old) => old < oldestBase).sort((a, b) => a - b),
    failures: [],
    phase: { name: "collecting", round, task },
  };
  return assign(plan, opened, event, seq);
}

function assign(plan: BufferedPlan, state: BufferedState, event: EventOf<"round-opened" | "task-assigned">, seq: number): BufferedState {
  const { round, task, model } = event;
  if (!state.bases.has(round)) return state;
  const sites = event.sites.filter((site) => mayTake(plan, state, site, round));
  if (sites.length === 0) return state;
  const turn: SiteTurn = { round, isAtWork: true, since: seq };
  return {
    ...state,
    sites: new Map([...state.sites, ...sites.map((site) => [site, turn] as const)]),
    waves: [...state.waves, { seq, round, task, model, sites }],
  };
}

function takeUpdate(plan: BufferedPlan, state: BufferedState, event: EventOf<"update-accepted">): BufferedState {
  const { round, site, update, paramsType, metrics } = event;
  const base = state.bases.get(round);
  if (base === undefined || !isAtWorkOn(state, site, round)) return state;
  const weight = event.weight * factorOf(plan.settings, site);
  const taken: BufferedUpdate = { site, update, paramsType, weight, metrics, base: { round, model: base.model } };
  return {
    ...withIdle(state, site),
    bases: new Map(state.bases).set(round, { ...base, answers: [...base.answers, taken] }),
    buffer: [...state.buffer, taken],
  };
}

/** A failure after an update means that the update turned out to be unusable: it is taken back, and the round judged anew. */
function takeFailure(state: BufferedState, { round, site, error }: EventOf<"task-failed">): BufferedState {
  const failures = [...state.failures, { site, error }];
  if (isAtWorkOn(state, site, round)) return { ...withIdle(state, site), failures };
  const isIt = (update: BufferedUpdate): boolean => update.site === site && update.base.round === round;
  if (!state.buffer.some(isIt)) return state;
  const base = state.bases.get(round);
  const bases = new Map(state.bases);
  if (base !== undefined) bases.set(round, { ...base, answers: base.answers.filter((answer) => answer.site !== site) });
  const { phase } = state;
  const isAffected = phase.name === "closing" && phase.counted.some(isIt);
  const reopened: BufferedPhase = isAffected ? { name: "collecting", round: phase.round, task: phase.task } : phase;
  return { ...state, failures, bases, buffer: state.buffer.filter((update) => !isIt(update)), phase: reopened };
}

function closeRound(plan: BufferedPlan, state: BufferedState, event: EventOf<"round-closed">): BufferedState {
  const { phase } = state;
  if (phase.name !== "closing" || phase.round !== event.round) return state;
  const closed: BufferedState = {
    ...state,
    model: event.model,
    strategyState: event.state ?? {},
    buffer: state.buffer.filter((update) => !phase.counted.includes(update)),
    phase: { name: "between", nextRound: event.round + 1, endReason: undefined },
  };
  const judged = judge(plan, closed);
  return { ...judged, phase: { name: "between", nextRound: event.round + 1, endReason: endReasonAfter(plan, judged.best, event) } };
}

function isAtWorkOn({ sites, left }: BufferedState, site: string, round: number): boolean {
  const turn = sites.get(site);
  // What a site has handed in before it left counts, and comes before that in the journal.
  return turn !== undefined && turn.isAtWork && turn.round === round && !hasFailed(left, site);
}

function withIdle(state: BufferedState, site: string): BufferedState {
  const turn = state.sites.get(site);
  return turn === undefined ? state : { ...state, sites: new Map(state.sites).set(site, { ...turn, isAtWork: false }) };
}

/** Judges the models that nobody is at work on any more, oldest first, and lets go of them. */
function judge(plan: BufferedPlan, state: BufferedState): BufferedState {
  const { phase } = state;
  if (phase.name !== "between" && phase.name !== "collecting" && phase.name !== "closing") return state;
  const inUse = roundsInUse(state, phase.name === "between" ? phase.nextRound : phase.round);
  const { keyMetric: metric } = plan.settings;
  const bases = new Map(state.bases);
  let judged: BufferedState = state;
  for (const [round, { model, answers }] of state.bases) {
    if (inUse.has(round)) continue;
    bases.delete(round);
    const value = meanMetrics(answers)[metric];
    if (value === undefined) continue;
    const best = withValue(judged.best, value, plan.settings);
    judged = best.staleRounds > 0 ? { ...judged, best } : { ...judged, best, unsavedBest: { round, model, metric, value } };
  }
  return bases.size === state.bases.size ? state : { ...judged, bases };
}

/** Draws the conclusions that follow from a state without another event. */
function settle(plan: BufferedPlan, state: BufferedState): BufferedState {
  const { phase } = state;
  if (phase.name !== "between" && phase.name !== "collecting" && phase.name !== "closing") return state;
  const judged = judge(plan, state);
  const waves = judged.waves.filter(({ round, sites }) => sites.some((site) => isAtWorkOn(judged, site, round)));
  const settled = waves.length === judged.waves.length ? judged : { ...judged, waves };
  if (phase.name === "between" && phase.endReason !== undefined) return settled;
  const lost = settled.left.find(({ site }) => plan.mandatoryClients.includes(site));
  if (lost !== undefined) return { ...settled, phase: { name: "failed", error: mandatorySiteLost(lost) } };
  if (phase.name === "closing") return settled;
  const [present, needed] = [presentSites(plan, settled).length, Math.max(1, plan.settings.minClients)];
  if (present < needed) {
    const what = `The workflow needs ${needed} ${needed === 1 ? "site" : "sites"}, and only ${present} ${present === 1 ? "is" : "are"} left.`;
    return { ...settled, phase: { name: "failed", error: sitesLost(what, settled.left, { needed, present }) } };
  }
  return phase.name === "collecting" ? settleRound(plan, settled, phase) : settled;
}

function settleRound(plan: BufferedPlan, state: BufferedState, phase: Extract<BufferedPhase, { name: "collecting" }>): BufferedState {
  const { round } = phase;
  const { updatesForModel } = plan.settings;
  const isFull = state.buffer.length >= updatesForModel;
  // Whoever may be given the newest model will be, where nobody is at work.
  if (!isFull && (sitesAtWork(state).length > 0 || sitesToAssign(plan, state, round).length > 0)) return state;
  if (state.buffer.length === 0) {
    const what = `In round ${round} no site has made an update of the model.`;
    return { ...state, phase: { name: "failed", error: sitesLost(what, state.failures, { round }) } };
  }
  return { ...state, phase: { ...phase, name: "closing", counted: state.buffer.slice(0, updatesForModel) } };
}

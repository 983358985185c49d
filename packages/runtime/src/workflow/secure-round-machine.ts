import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { hasFailed } from "./open-round.js";
import { answersOf, awaitedIn, lostIn, openedStep, stepAfter } from "./open-step.js";
import { roundMachine } from "./round-machine.js";
import { quorumLost, quorumOf } from "./round-quorum.js";
import type { RoundState } from "./round-state.js";
import { nextOfSum, outstandingSecureEffects } from "./secure-round-effects.js";
import type { OpenStep, RoundSum, SecureRoundPlan, SecureRoundState } from "./secure-round-state.js";
import type { WorkflowMachine } from "./workflow-machine.js";

/**
 * Rounds of FedAvg whose updates the server adds without reading them. Sites hand in keys, once; then each round is one of
 * `roundMachine`, whose quorum and deadlines hold, and only what happens between its last answer and its end is decided here:
 *
 * 1. confirm: every site of the sum signs who is in it. One that does not answer in time is left out, and the others mask the updates that
 *    they have handed in anew, with other seeds, and without training again: `mask`, then `confirm` once more.
 * 2. reveal: every site of the sum gives the seeds that are still in it. From the first answer on the sum of these sites may be known, and
 *    another sum that differs by one update would tell that update: there is no other attempt. When one does not answer in time, the round is
 *    lost: it closes with the model that it began with.
 *
 * Sites enforce the same for themselves, whatever a server decides.
 */
export function secureRoundMachine(plan: SecureRoundPlan): WorkflowMachine<SecureRoundState> {
  const rounds = roundMachine(plan);
  return {
    initial: settle(plan, { rounds: rounds.initial, keys: undefined, roster: undefined, sum: undefined, failed: undefined }),
    step: (state, entry) => {
      const next = stepEvent(state, rounds.step(state.rounds, entry), entry);
      return next === state ? state : settle(plan, next);
    },
    outstanding: (state) => outstandingSecureEffects(plan, state, rounds.outstanding(state.rounds)),
  };
}

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

function stepEvent(state: SecureRoundState, rounds: RoundState, { event, atMs }: JournalEntry): SecureRoundState {
  switch (event.type) {
    case "round-opened":
      return rounds === state.rounds ? state : { ...state, rounds, roster: event.roster, sum: undefined };
    case "round-closed":
      return rounds === state.rounds ? state : { ...state, rounds, roster: undefined, sum: undefined };
    case "step-opened":
      return openStep(state, event, atMs);
    case "step-answered":
    case "task-failed":
    case "deadline-passed":
      return withAnswer(rounds === state.rounds ? state : { ...state, rounds }, event);
    case "job-submitted":
    case "job-started":
    case "update-accepted":
    case "site-connected":
    case "site-disconnected":
    case "site-left":
    case "round-receipt":
    case "task-assigned":
    case "best-model":
    case "process-restarted":
    case "workflow-ended":
    case "job-ended":
    default:
      return rounds === state.rounds ? state : { ...state, rounds };
  }
}

function openStep(state: SecureRoundState, event: EventOf<"step-opened">, atMs: number): SecureRoundState {
  if (event.step === "keys") return state.keys === undefined ? { ...state, keys: openedStep(event, atMs) } : state;
  const next = nextOfSum(state);
  if (next === undefined || !("open" in next) || next.open.task !== event.task || next.open.round !== event.round) return state;
  const step = openedStep(event, atMs);
  const { attempt } = event;
  const { sum } = state;
  if (event.step === "mask" && sum !== undefined) {
    return { ...state, sum: { attempt, masked: event.sites, roster: event.document, contributions: [], confirmed: undefined, step } };
  }
  if (event.step === "reveal" && sum !== undefined) return { ...state, sum: { ...sum, confirmed: sum.step, step } };
  const { phase } = state.rounds;
  if (event.step !== "confirm" || phase.name !== "closing" || state.roster === undefined) return state;
  const begun: Pick<RoundSum, "masked" | "roster"> = sum ?? { masked: phase.sites, roster: state.roster };
  const contributions = next.contributions ?? [];
  return { ...state, sum: { masked: begun.masked, roster: begun.roster, attempt, contributions, confirmed: undefined, step } };
}

function withAnswer(state: SecureRoundState, event: JobEvent): SecureRoundState {
  const keys = state.keys === undefined ? undefined : stepAfter(state.keys, event);
  if (keys !== state.keys) return { ...state, keys };
  const { sum } = state;
  const step = sum === undefined ? undefined : stepAfter(sum.step, event);
  return sum === undefined || step === undefined || step === sum.step ? state : { ...state, sum: { ...sum, step } };
}

/** Draws the conclusions that follow from a state without another event: too few sites are left for a sum. */
function settle(plan: SecureRoundPlan, state: SecureRoundState): SecureRoundState {
  const { rounds, keys, sum } = state;
  const { phase, left } = rounds;
  if (state.failed !== undefined) return state;
  const need = quorumOf(plan);
  if (phase.name === "between" && keys !== undefined && areKeysShort(keys, state, need)) {
    const possible = usable(keys, state).length;
    return { ...state, failed: quorumLost(plan, phase.nextRound, possible, [...keys.failures, ...left]) };
  }
  if (phase.name !== "closing" || sum === undefined) return state;
  const { step } = sum;
  const lost = lostIn(step, left);
  const rest = step.sites.filter((site) => !lost.includes(site) && !(step.step !== "reveal" && hasFailed(left, site)));
  if (step.step === "reveal" || rest.length >= need) return state;
  return { ...state, failed: quorumLost(plan, phase.round, rest.length, [...step.failures, ...left]) };
}

function areKeysShort(keys: OpenStep, state: SecureRoundState, need: number): boolean {
  return usable(keys, state).length < need;
}

/** Sites that have handed their key in, or may still do so, and are there. */
function usable(keys: OpenStep, { rounds: { left } }: SecureRoundState): readonly string[] {
  const known = [...answersOf(keys).map(([site]) => site), ...awaitedIn(keys, left)];
  return known.filter((site) => !hasFailed(left, site));
}

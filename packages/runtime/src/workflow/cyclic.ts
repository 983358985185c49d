import type { CyclicSettings } from "@flare-ts/contracts";
import type { ObjectRef } from "../store/model-store.js";
import { sitesLost } from "./round-quorum.js";
import { sampleSites, shuffleSites } from "./sample-sites.js";
import type { HeldRound, ScriptStep, WorkflowScript } from "./script-machine.js";
import type { SiteFailure } from "./site-failure.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** The turns that sites have had. */
export interface HeldTurns {
  readonly model: ObjectRef;
  /** Rounds that are over. */
  readonly rounds: number;
  /** Who had a turn in the round under way, in their order. */
  readonly had: readonly string[];
  /** Whether any turn of the round under way brought a model. */
  readonly hasMoved: boolean;
  /** Turns of the round under way that failed. */
  readonly failures: readonly SiteFailure[];
  /** Who had the last turn of the round before. */
  readonly last: string | undefined;
}

/**
 * Cyclic weight transfer: the model goes from site to site, and each trains what the one before has made of it. A round is one turn of
 * each site; in the journal, each turn is a round. A turn that fails, or is not answered in time, is passed over with the model as it was;
 * a round in which every turn fails ends the job.
 *
 * @see Chang et al., "Distributed deep learning networks among institutions for medical imaging", JAMIA 25(8), 2018
 */
export function cyclicScript(settings: CyclicSettings, plan: WorkflowPlan): WorkflowScript<HeldTurns> {
  const { numRounds, numClients, startRound, taskName: task, trainTimeoutMs: timeoutMs } = settings;
  const next = (held: HeldTurns, present: readonly string[]): ScriptStep => {
    const { model, rounds } = held;
    if (rounds >= numRounds) return { type: "end", model, reason: `all ${numRounds} rounds are done` };
    const site = turnOrder(settings, plan.sites, held).find((name) => !held.had.includes(name) && present.includes(name));
    if (site === undefined && held.hasMoved) return next(roundOver(held), present);
    const current = startRound + rounds;
    if (site === undefined) {
      return {
        type: "fail",
        error: sitesLost(`In round ${current} no site has made a model in its turn.`, held.failures, { round: current }),
      };
    }
    const own = { current, start: startRound, total: numRounds };
    return { type: "round", task, model, sites: [site], totalRounds: numRounds * numClients, use: "combine", timeoutMs, own };
  };
  return {
    initial: { model: plan.initialModel, rounds: 0, had: [], hasMoved: false, failures: [], last: undefined },
    next,
    after: (held, turn) => afterTurn(turn.scripted.own.current - startRound > held.rounds ? roundOver(held) : held, turn),
  };
}

function afterTurn(held: HeldTurns, { open, closed }: HeldRound): HeldTurns {
  return {
    ...held,
    model: closed.model,
    had: [...held.had, ...open.sites],
    hasMoved: held.hasMoved || closed.contributors.length > 0,
    failures: [...held.failures, ...open.failures],
  };
}

function roundOver({ model, rounds, had, last }: HeldTurns): HeldTurns {
  return { model, rounds: rounds + 1, had: [], hasMoved: false, failures: [], last: had.at(-1) ?? last };
}

/** Who has a turn in the round under way, in order. Of all sites of the job: who is not there by then is passed over. */
function turnOrder(
  { order, seed, numClients }: CyclicSettings,
  all: readonly string[],
  { rounds: round, last }: HeldTurns,
): readonly string[] {
  const candidates = typeof order === "string" ? all : order;
  const drawn = sampleSites(candidates, { seed, round, size: numClients });
  if (typeof order !== "string") return order.filter((site) => drawn.includes(site));
  if (order === "FIXED") return drawn;
  const shuffled = shuffleSites(drawn, { seed, round });
  const [first, second] = shuffled;
  const repeats = order === "RANDOM_WITHOUT_SAME_IN_A_ROW" && first !== undefined && first === last;
  return repeats && second !== undefined ? [second, first, ...shuffled.slice(2)] : shuffled;
}

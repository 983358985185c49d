import type { SerializedFlareError } from "@flare-ts/contracts/errors";
import type { AcceptedUpdate, BufferedRound, JournalEntry, StrategyState } from "../job/job-event.js";
import type { SecureStep } from "../secure-aggregation/step-tasks.js";
import type { ObjectRef } from "../store/model-store.js";

/** An update with the weight that it has in the aggregate: the site's own weight times the job's factor for the site. */
export type Contribution = Pick<AcceptedUpdate, "site" | "update" | "paramsType" | "weight" | "metrics"> & {
  /** What it was made from, where that need not be the model of the round that it counts in. */
  readonly base?: UpdateBase;
};

/** The model that an update was made from, and the round that gave it to the site. */
export interface UpdateBase {
  readonly round: number;
  readonly model: ObjectRef;
}

/**
 * What a workflow wants done. Each may be done again after a restart without harm: an effect that changes the journal is
 * wanted only until its event stands there, and the others are idempotent.
 */
export type WorkflowEffect =
  /** Journal `round-opened`. */
  | {
      readonly type: "open-round";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly sites: readonly string[];
      readonly totalRounds: number;
      readonly workflow?: string;
      readonly evaluates?: string;
      readonly asks?: "statistics" | "intersection";
      readonly models?: Readonly<Record<string, ObjectRef>>;
      readonly buffered?: BufferedRound;
      /** Keys of the sites, as each of them handed its own in, where their updates are to be masked. */
      readonly keys?: StepAnswers;
    }
  /** Journal `task-assigned`. */
  | {
      readonly type: "assign-more";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly sites: readonly string[];
    }
  /** Journal `step-opened`, with a document that is made of what sites have answered so far. */
  | {
      readonly type: "open-step";
      readonly round: number;
      readonly task: string;
      readonly step: SecureStep;
      readonly attempt: number;
      readonly sites: readonly string[];
      /** What the document says. */
      readonly of: StepSource;
    }
  /** Open the task at sites. */
  | {
      readonly type: "assign";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      /** What a site gets that is named here, instead of `model`. */
      readonly models?: Readonly<Record<string, ObjectRef>>;
      readonly sites: readonly string[];
      readonly totalRounds: number;
      /** What sites are told of this round. */
      readonly meta: Readonly<Record<string, unknown>>;
      /** Objects that the sites need besides the model. */
      readonly reads?: readonly ObjectRef[];
    }
  /** Start to fold an update into the aggregate of its round. It will be part of it unless it proves to be unusable. */
  | {
      readonly type: "fold";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly contribution: Contribution;
    }
  /**
   * Journal `deadline-passed` when the clock says so, and after `mostMs` at the latest, should it have been set back; replaces the
   * deadline that was set before.
   */
  | { readonly type: "set-deadline"; readonly round: number; readonly task?: string; readonly atMs: number; readonly mostMs: number }
  /** Aggregate exactly these contributions (sorted by site) onto the model, and journal `round-closed`. */
  | {
      readonly type: "aggregate";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      /** What the strategy has kept from the round before; `undefined` in the first. */
      readonly state: StrategyState | undefined;
      readonly contributions: readonly Contribution[];
      readonly missing: readonly string[];
    }
  /** Add masked updates, take their masks out of the sum, put the mean onto the model, and journal `round-closed`. */
  | {
      readonly type: "unmask";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly state: StrategyState | undefined;
      readonly contributions: readonly Contribution[];
      readonly missing: readonly string[];
      /** Sites with whose keys these updates were masked. */
      readonly masked: readonly string[];
      /** What each contributor has revealed. */
      readonly revealed: StepAnswers;
      /** Name of the step in which they did. */
      readonly revealTask: string;
    }
  /** Make a whole model of each contribution, none combined with another, and journal `round-closed` with them. */
  | {
      readonly type: "collect";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly contributions: readonly Contribution[];
      readonly missing: readonly string[];
    }
  /** Journal `round-closed` with the model that the round began with, as nothing comes of its answers but their metrics. */
  | {
      readonly type: "close-round";
      readonly round: number;
      readonly model: ObjectRef;
      readonly contributions: readonly Contribution[];
      readonly missing: readonly string[];
    }
  /** Read what each contribution says of the site's data, and journal `round-closed` with what comes of it. */
  | {
      readonly type: "summarize";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      /** What each site was given, where that was not the same. */
      readonly models?: Readonly<Record<string, ObjectRef>>;
      /** What the round before has kept; `undefined` in the first. */
      readonly state: StrategyState | undefined;
      readonly contributions: readonly Contribution[];
      readonly missing: readonly string[];
    }
  /** Tell the sites that have not answered that they need not any more. */
  | { readonly type: "close-task"; readonly round: number; readonly task: string }
  /** Journal `best-model`. */
  | { readonly type: "save-best"; readonly round: number; readonly model: ObjectRef; readonly metric: string; readonly value: number }
  /** Journal `workflow-ended`. */
  | { readonly type: "end"; readonly model: ObjectRef; readonly reason: string }
  /** Hand the final model to the parent. */
  | { readonly type: "finish"; readonly model: ObjectRef; readonly reason: string }
  /** Tell the parent that the workflow cannot go on. */
  | { readonly type: "fail"; readonly error: SerializedFlareError };

/** What sites have answered to a step: the object of each, sorted by site. */
export type StepAnswers = readonly (readonly [site: string, answer: ObjectRef])[];

/** What the document of a step is made of. */
export type StepSource =
  /** Nothing: the step says all. */
  | { readonly kind: "nothing" }
  /** Keys of the sites that mask their updates anew. */
  | { readonly kind: "roster"; readonly keys: StepAnswers }
  /** Whose masked updates are to be in the sum. */
  | {
      readonly kind: "statement";
      readonly baseTask: string;
      readonly model: ObjectRef;
      readonly roster: ObjectRef;
      readonly contributions: readonly Contribution[];
    }
  /** The statement, with the signatures of all. */
  | { readonly kind: "proof"; readonly statement: ObjectRef; readonly confirmations: StepAnswers; readonly confirmTask: string };

/**
 * A workflow as a pure machine. Its state is a fold over the journal, so a process that reads the journal again stands
 * where the last one stood; what is to be done follows from the state alone.
 */
export interface WorkflowMachine<State> {
  readonly initial: State;
  /** The state after an event. An event that does not fit (late, repeated, foreign) leaves the state as it is. */
  step(state: State, entry: JournalEntry): State;
  /** All that is wanted in a state, in the order in which it is to be started. */
  outstanding(state: State): readonly WorkflowEffect[];
}

/** Steps a machine, and says what is wanted now that was not wanted before, and whether the deadline that was wanted is not any more. */
export function advance<State>(
  machine: WorkflowMachine<State>,
  state: State,
  entry: JournalEntry,
): { readonly state: State; readonly effects: readonly WorkflowEffect[]; readonly isDeadlineOff: boolean } {
  const next = machine.step(state, entry);
  if (next === state) return { state, effects: [], isDeadlineOff: false };
  const [before, after] = [machine.outstanding(state), machine.outstanding(next)];
  const known = new Set(before.map(effectKey));
  const effects = after.filter((effect) => !known.has(effectKey(effect)));
  return { state: next, effects, isDeadlineOff: before.some(isDeadline) && !after.some(isDeadline) };
}

function isDeadline({ type }: WorkflowEffect): boolean {
  return type === "set-deadline";
}

/** What an update is called among those of a round; where a site may have several there, by what it was made from. */
export function nameOfUpdate({ site, base }: Pick<Contribution, "site" | "base">): string {
  return base === undefined ? site : `${site} (round ${base.round})`;
}

/** Two effects with the same key ask for the same thing. */
function effectKey(effect: WorkflowEffect): string {
  switch (effect.type) {
    case "fold":
      return `fold ${effect.round} ${effect.task} ${nameOfUpdate(effect.contribution)}`;
    case "set-deadline":
      return `set-deadline ${effect.round} ${effect.task ?? ""} ${effect.atMs}`;
    case "unmask":
    case "aggregate":
    case "collect":
    case "close-round":
    case "summarize":
      return `${effect.type} ${effect.round} ${effect.contributions.map(nameOfUpdate).join(" ")}`;
    case "assign":
    case "assign-more":
    case "open-step":
      return `${effect.type} ${effect.round} ${effect.task} ${effect.sites.join(" ")}`;
    case "close-task":
      return `${effect.type} ${effect.round} ${effect.task}`;
    case "open-round":
    case "save-best":
      return `${effect.type} ${effect.round}`;
    case "end":
    case "finish":
    case "fail":
    default:
      return effect.type;
  }
}

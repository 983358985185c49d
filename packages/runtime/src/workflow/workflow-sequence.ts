import type { JournalEntry } from "../job/job-event.js";
import type { ObjectRef } from "../store/model-store.js";
import { JournalOrder } from "./journal-order.js";
import { withLeft } from "./open-round.js";
import type { RunningWorkflow, WorkflowOutcome } from "./running-workflow.js";
import type { SiteFailure } from "./site-failure.js";

/** Where the next workflow of a job goes on. */
export interface Handover {
  /** Number of its first round; `undefined` where there was no round before. */
  readonly nextRound: number | undefined;
  /** What the workflow before has made; `undefined` before the first one. */
  readonly model: ObjectRef | undefined;
  /** The best model so far. */
  readonly bestModel: ObjectRef | undefined;
  readonly left: readonly SiteFailure[];
}

export interface WorkflowSequenceInit {
  /** How many there are. */
  readonly count: number;
  /** Makes a workflow of the job ready. */
  readonly create: (index: number, handover: Handover) => Promise<RunningWorkflow>;
}

/** The workflows of a job, one after another: each takes over the model, the sites and the count of rounds of the one before. */
export class WorkflowSequence {
  readonly #init: WorkflowSequenceInit;
  readonly #order = new JournalOrder();
  /** The workflow that the newest entry is of. */
  #index = 0;
  /** Its entries that no workflow has been given. */
  #pending: JournalEntry[] = [];
  /** Where it began. */
  #began = beginning;
  /** The newest entry told of. */
  #now = beginning;
  #running: { readonly index: number; readonly workflow: RunningWorkflow } | undefined;

  constructor(init: WorkflowSequenceInit) {
    this.#init = init;
  }

  /** Takes an entry of the journal; may be called before `run`, twice for an entry, and in any order. */
  hear(entry: JournalEntry): void {
    for (const next of this.#order.take(entry)) this.#add(next);
  }

  /**
   * Goes on from where the journal stands, until the last workflow or the job is over.
   *
   * @param entries the journal from its first entry on; what follows comes through `hear`
   * @throws as `RunningWorkflow.run`
   */
  async run(entries: readonly JournalEntry[], signal?: AbortSignal): Promise<WorkflowOutcome> {
    for (const entry of entries) this.#add(entry);
    this.#order.begin(entries.at(-1)?.seq ?? 0);
    for (const entry of this.#order.next()) this.#add(entry);
    for (;;) {
      const index = this.#index;
      const workflow = await this.#init.create(index, this.#began);
      const known = this.#pending.splice(0);
      this.#running = { index, workflow };
      const outcome = await workflow.run(known, signal);
      this.#running = undefined;
      if (outcome.type !== "finished" || index === this.#last) return outcome;
    }
  }

  get #last(): number {
    return this.#init.count - 1;
  }

  #add(entry: JournalEntry): void {
    if (this.#running?.index === this.#index) this.#running.workflow.hear(entry);
    else this.#pending.push(entry);
    this.#now = withEntry(this.#now, entry);
    if (entry.event.type !== "workflow-ended" || this.#index === this.#last) return;
    this.#index += 1;
    this.#pending = [];
    this.#began = this.#now;
  }
}

const beginning: Handover = { nextRound: undefined, model: undefined, bestModel: undefined, left: [] };

function withEntry(handover: Handover, { event }: JournalEntry): Handover {
  if (event.type === "round-opened") return { ...handover, nextRound: event.round + 1 };
  if (event.type === "best-model") return { ...handover, bestModel: event.model };
  if (event.type === "site-left") return { ...handover, left: withLeft(handover.left, event) };
  return event.type === "workflow-ended" ? { ...handover, model: event.model } : handover;
}

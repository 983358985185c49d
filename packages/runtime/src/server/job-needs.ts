import { type ContentHash, isContentHash } from "@flare-ts/contracts";
import type { JobEvent } from "../job/job-event.js";
import { stepOf } from "../secure-aggregation/step-tasks.js";
import { BasesInUse } from "./bases-in-use.js";

/** The objects that a job still needs, told from its journal. */
export class JobNeeds {
  /** Files of the job itself. */
  readonly #files: readonly ContentHash[];
  readonly #updates = new Set<ContentHash>();
  #model = "";
  #input = "";
  /** The same where sites are given different ones. */
  #inputs: readonly ContentHash[] = [];
  /** The input of the round before, while sites fetch that of this one: they hold it, and need only what has changed. */
  #previous = "";
  #best = "";
  /** Whether the round that is open makes no model: it evaluates one, or asks for statistics or an intersection. */
  #makesNone = false;
  /** Results of statistics. */
  readonly #results = new Set<ContentHash>();
  /** What sites have handed in and the job is yet to use. */
  #handedIn: readonly ContentHash[] = [];
  /** Where sites do not wait for each other: what more than the newest round needs. */
  #bases: BasesInUse | undefined;
  /** What sites were given to sign or to mask with, in the round that is open. */
  readonly #documents = new Set<ContentHash>();
  /** Keys of sites, for all rounds of a workflow. */
  readonly #keys = new Set<ContentHash>();
  /** What the strategy keeps for the next round. */
  #state: readonly ContentHash[] = [];

  constructor(init: { readonly files: readonly ContentHash[] }) {
    this.#files = init.files;
  }

  /**
   * Takes an event in, and says what it changes: more is needed, or less. A round's input may yet become the best model after
   * the round has closed, so old objects go when the next one opens.
   */
  note(event: JobEvent): "more" | "less" | "nothing" {
    const { type } = event;
    if (type === "round-opened" && (event.buffered === undefined) !== (this.#bases === undefined))
      this.#bases = event.buffered === undefined ? undefined : new BasesInUse();
    this.#bases?.note(event);
    if (type === "update-accepted") this.#updates.add(event.update.hash);
    else if (type === "step-answered") (stepOf(event.task)?.step === "keys" ? this.#keys : this.#updates).add(event.update.hash);
    else if (type === "step-opened") (event.step === "keys" ? this.#keys : this.#documents).add(event.document.hash);
    else if (type === "best-model") this.#best = event.model.hash;
    else if (type === "task-assigned") return "more";
    else if (type !== "round-opened" && type !== "round-closed" && type !== "workflow-ended") return "nothing";
    if (type === "round-opened") this.#makesNone = event.evaluates !== undefined || event.asks !== undefined;
    const isMade = type === "workflow-ended" || ((type === "round-opened" || type === "round-closed") && !this.#makesNone);
    if (isMade) this.#model = event.model.hash;
    if (type === "round-closed") {
      this.#updates.clear();
      this.#documents.clear();
      this.#previous = "";
      this.#state = Object.values(event.state ?? {}).map(({ hash }) => hash);
      if (event.models !== undefined) this.#handedIn = Object.values(event.models).map(({ hash }) => hash);
      if (event.statistics !== undefined) this.#results.add(event.statistics.hash);
      // What the next round asks is no model of the job.
      else if (this.#makesNone && event.model.hash !== this.#input) this.#handedIn = [event.model.hash];
    }
    if (type === "workflow-ended") this.#keys.clear();
    if (type === "workflow-ended") this.#handedIn = [];
    if (type !== "round-opened") return "more";
    if (event.roster !== undefined) this.#documents.add(event.roster.hash);
    this.#previous = this.#input;
    this.#input = event.model.hash;
    this.#inputs = Object.values(event.models ?? {}).map(({ hash }) => hash);
    // Handed on to the sites of this round, and to nobody else.
    if (event.models !== undefined) this.#handedIn = [];
    return "less";
  }

  /** The job is over: only what it made, and the job itself, are kept. */
  end(): void {
    this.#updates.clear();
    this.#bases?.end();
    this.#input = "";
    this.#inputs = [];
    this.#previous = "";
    this.#handedIn = [];
    this.#state = [];
    this.#documents.clear();
    this.#keys.clear();
  }

  hashes(): readonly ContentHash[] {
    return [
      ...this.#files,
      ...[this.#model, this.#input, this.#previous, this.#best].filter(isContentHash),
      ...this.#inputs,
      ...this.#handedIn,
      ...this.#state,
      ...this.#results,
      ...this.#updates,
      ...(this.#bases?.hashes() ?? []),
      ...this.#documents,
      ...this.#keys,
    ];
  }
}

import { join } from "node:path";
import type { AggregationEngine, Strategy } from "@flare-ts/aggregator";
import { FlareError, type SerializedFlareError } from "@flare-ts/contracts/errors";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import type { Clock } from "./clock.js";
import { RoundAggregation } from "./round-aggregation.js";
import { advance, type WorkflowEffect, type WorkflowMachine } from "./workflow-machine.js";

/** How a workflow came to its end. */
export type WorkflowOutcome =
  | { readonly type: "finished" }
  | { readonly type: "failed"; readonly error: SerializedFlareError }
  /** The parent ended the job. */
  | { readonly type: "ended"; readonly status: JobStatus };

export interface WorkflowDriverComponents<State> {
  readonly parent: Pick<ServerJobPeer, "call" | "tell">;
  readonly machine: WorkflowMachine<State>;
  readonly engine: AggregationEngine;
  readonly strategy: Strategy;
  readonly clock: Clock;
}

export interface WorkflowDriverInit {
  /** Folder of the job process. */
  readonly workspace: string;
  /** What sites are told with each task. */
  readonly taskMeta: Readonly<Record<string, unknown>>;
}

/**
 * Does what a workflow wants: folds the journal in the order of its numbers, and performs the effects that follow, one
 * after the other. It decides nothing, and does nothing that is not in the journal before it has consequences.
 */
export class WorkflowDriver<State> {
  readonly #parent: Pick<ServerJobPeer, "call" | "tell">;
  readonly #machine: WorkflowMachine<State>;
  readonly #clock: Clock;
  readonly #taskMeta: WorkflowDriverInit["taskMeta"];
  readonly #aggregation: RoundAggregation;
  readonly #outcome = Promise.withResolvers<WorkflowOutcome>();
  /** Entries that came before the one that they follow. */
  readonly #early = new Map<number, JournalEntry>();
  #state: State;
  #lastSeq: number | undefined;
  #queue: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void = () => {};
  #isOver = false;

  constructor(components: WorkflowDriverComponents<State>, init: WorkflowDriverInit) {
    const { parent, machine, engine, strategy, clock } = components;
    this.#taskMeta = init.taskMeta;
    this.#parent = parent;
    this.#machine = machine;
    this.#clock = clock;
    this.#aggregation = new RoundAggregation({ engine, strategy, parent }, { folder: join(init.workspace, "aggregates") });
    this.#state = machine.initial;
  }

  /** Takes an entry of the journal; may be called before `run`, twice for an entry, and in any order. */
  hear(entry: JournalEntry): void {
    if (this.#lastSeq !== undefined && entry.seq <= this.#lastSeq) return;
    this.#early.set(entry.seq, entry);
    this.#foldEarly();
  }

  /**
   * Goes on from where the journal stands, until the workflow or the job is over.
   *
   * @param entries the journal from its first entry on; what follows comes through `hear`.
   * @throws FlareError that another process may not meet, starting from the journal again; `internal/aborted` on abort.
   */
  async run(entries: readonly JournalEntry[], signal?: AbortSignal): Promise<WorkflowOutcome> {
    const abort = (): void => this.#outcome.reject(new FlareError("internal/aborted", "The workflow was stopped."));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      for (const entry of entries) this.#state = this.#machine.step(this.#state, entry);
      this.#lastSeq = entries.at(-1)?.seq ?? 0;
      const last = entries.at(-1)?.event;
      if (last?.type === "job-ended") this.#outcome.resolve({ type: "ended", status: last.status });
      this.#start(this.#machine.outstanding(this.#state));
      this.#foldEarly();
      return await this.#outcome.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#isOver = true;
      this.#cancelDeadline();
      await this.#aggregation.discard();
    }
  }

  #foldEarly(): void {
    if (this.#lastSeq === undefined) return;
    for (;;) {
      const entry = this.#early.get(this.#lastSeq + 1);
      if (entry === undefined) break;
      this.#early.delete(entry.seq);
      this.#lastSeq = entry.seq;
      const { state, effects, isDeadlineOff } = advance(this.#machine, this.#state, entry);
      this.#state = state;
      // In its turn: the timer may be yet to be set.
      if (isDeadlineOff) this.#queue = this.#queue.then(() => this.#cancelDeadline());
      if (entry.event.type === "job-ended") this.#outcome.resolve({ type: "ended", status: entry.event.status });
      this.#start(effects);
    }
  }

  #start(effects: readonly WorkflowEffect[]): void {
    for (const effect of effects) {
      // Folding goes on beside everything else: the next update need not wait for this one.
      if (effect.type === "fold") void this.#watch(this.#fold(effect));
      else this.#queue = this.#queue.then(() => this.#watch(this.#perform(effect)));
    }
  }

  /** Waits for a piece of work, and lets its failure decide the workflow. */
  async #watch(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (reason) {
      if (!this.#isOver) await this.#giveUp(FlareError.from(reason));
    }
  }

  /** What may go away by itself is left to the next process; anything else would fail there too, so the job ends. */
  async #giveUp(error: FlareError): Promise<void> {
    try {
      if (error.row.isRetryable) throw error;
      await this.#parent.call("fail", { error: error.toJSON() });
      this.#outcome.resolve({ type: "failed", error: error.toJSON() });
    } catch (reason) {
      this.#outcome.reject(FlareError.from(reason));
    }
  }

  async #perform(effect: Exclude<WorkflowEffect, { type: "fold" }>): Promise<void> {
    if (this.#isOver) return;
    switch (effect.type) {
      case "open-round": {
        const { round, task, model, sites, totalRounds } = effect;
        return this.#append({ type: "round-opened", round, task, model, sites, totalRounds });
      }
      case "assign": {
        const { round, task, model, sites, totalRounds } = effect;
        await this.#parent.call("assign", { round, task, model, sites, totalRounds, meta: this.#taskMeta });
        return;
      }
      case "set-deadline":
        return this.#setDeadline(effect);
      case "aggregate":
        return this.#aggregate(effect);
      case "close-task":
        await this.#parent.call("closeTask", { round: effect.round, task: effect.task });
        return;
      case "save-best": {
        const { round, model, metric, value } = effect;
        return this.#append({ type: "best-model", round, model, metric, value });
      }
      case "end":
        return this.#append({ type: "workflow-ended", model: effect.model, reason: effect.reason });
      case "finish":
        await this.#parent.call("finish", { model: effect.model, reason: effect.reason });
        return this.#outcome.resolve({ type: "finished" });
      case "fail":
        await this.#parent.call("fail", { error: effect.error });
        return this.#outcome.resolve({ type: "failed", error: effect.error });
    }
  }

  async #fold(effect: Extract<WorkflowEffect, { type: "fold" }>): Promise<void> {
    const problem = await this.#aggregation.fold(effect);
    if (problem === undefined || this.#isOver) return;
    const { round, task, contribution } = effect;
    await this.#append({ type: "task-failed", round, task, site: contribution.site, error: problem.toJSON() });
  }

  async #aggregate(effect: Extract<WorkflowEffect, { type: "aggregate" }>): Promise<void> {
    const startedMs = this.#clock.now();
    const result = await this.#aggregation.finish(effect);
    if (result === undefined) return;
    const { round, contributions, missing } = effect;
    const aggregationSeconds = Math.max(0, this.#clock.now() - startedMs) / 1000;
    const contributors = contributions.map(({ site }) => site);
    await this.#append({ type: "round-closed", round, contributors, missing, ...result, aggregationSeconds });
  }

  #setDeadline({ round, atMs, mostMs }: Extract<WorkflowEffect, { type: "set-deadline" }>): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#clock.setTimer(Math.min(atMs - this.#clock.now(), mostMs), () => {
      void this.#watch(this.#append({ type: "deadline-passed", round }));
    });
  }

  async #append(event: JobEvent): Promise<void> {
    await this.#parent.call("append", { event });
  }
}

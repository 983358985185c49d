import { join } from "node:path";
import type { AggregationEngine, Strategy } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import type { ObjectRef } from "../store/model-store.js";
import type { Clock } from "./clock.js";
import { meanMetrics } from "./mean-metrics.js";
import { ModelCollection } from "./model-collection.js";
import type { ModelDress } from "./model-dress.js";
import { RoundAggregation } from "./round-aggregation.js";
import type { RoundSummary } from "./round-summary.js";
import type { RunningWorkflow, WorkflowOutcome } from "./running-workflow.js";
import { advance, type WorkflowEffect, type WorkflowMachine } from "./workflow-machine.js";

export interface WorkflowDriverComponents<State> {
  readonly parent: Pick<ServerJobPeer, "call" | "tell">;
  readonly machine: WorkflowMachine<State>;
  readonly engine: AggregationEngine;
  readonly strategy: Strategy;
  readonly clock: Clock;
  /** @default models are the same for sites and for keeping */
  readonly dress?: ModelDress;
  /** Reads the answers of rounds that ask for no model; no other workflow needs it. */
  readonly summary?: RoundSummary;
}

export interface WorkflowDriverInit {
  /** Folder of the job process. */
  readonly workspace: string;
  /** Number of the workflow's first round in the journal. */
  readonly firstRound: number;
  /** What sites are told with each task. */
  readonly taskMeta: Readonly<Record<string, unknown>>;
  /** Whether the job is over when the workflow is. */
  readonly isLast: boolean;
}

/**
 * Does what a workflow wants: folds the journal in the order of its numbers, and performs the effects that follow, one
 * after the other. It decides nothing, and does nothing that is not in the journal before it has consequences.
 */
export class WorkflowDriver<State> implements RunningWorkflow {
  readonly #parent: Pick<ServerJobPeer, "call" | "tell">;
  readonly #machine: WorkflowMachine<State>;
  readonly #clock: Clock;
  readonly #init: WorkflowDriverInit;
  readonly #aggregation: RoundAggregation;
  readonly #outcome = Promise.withResolvers<WorkflowOutcome>();
  readonly #models: ModelCollection;
  readonly #dress: ModelDress | undefined;
  readonly #summary: RoundSummary | undefined;
  #state: State;
  #queue: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void = () => {};
  #isOver = false;

  constructor(components: WorkflowDriverComponents<State>, init: WorkflowDriverInit) {
    const { parent, machine, engine, strategy, clock, dress, summary } = components;
    this.#init = init;
    this.#parent = parent;
    this.#machine = machine;
    this.#clock = clock;
    this.#dress = dress;
    this.#summary = summary;
    const folder = join(init.workspace, "aggregates");
    this.#aggregation = new RoundAggregation({ engine, strategy, parent }, { folder });
    this.#models = new ModelCollection({ engine, parent }, { folder });
    this.#state = machine.initial;
  }

  hear(entry: JournalEntry): void {
    const { state, effects, isDeadlineOff } = advance(this.#machine, this.#state, entry);
    this.#state = state;
    // In its turn: the timer may be yet to be set.
    if (isDeadlineOff) this.#queue = this.#queue.then(() => this.#cancelDeadline());
    if (entry.event.type === "job-ended") this.#outcome.resolve({ type: "ended", status: entry.event.status });
    this.#start(effects);
  }

  async run(entries: readonly JournalEntry[], signal?: AbortSignal): Promise<WorkflowOutcome> {
    const abort = (): void => this.#outcome.reject(new FlareError("internal/aborted", "The workflow was stopped."));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      for (const entry of entries) this.#state = this.#machine.step(this.#state, entry);
      const last = entries.at(-1)?.event;
      if (last?.type === "job-ended") this.#outcome.resolve({ type: "ended", status: last.status });
      this.#start(this.#machine.outstanding(this.#state));
      return await this.#outcome.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#isOver = true;
      this.#cancelDeadline();
      this.#dress?.discard();
      this.#models.discard();
      await this.#aggregation.discard();
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
        const { type: _, ...opened } = effect;
        const model = effect.round === this.#init.firstRound ? await this.#forSites(effect.model) : effect.model;
        return this.#append({ type: "round-opened", ...opened, model });
      }
      case "assign-more": {
        const { type: _, ...assigned } = effect;
        return this.#append({ type: "task-assigned", ...assigned });
      }
      case "assign": {
        const { type: _, meta, ...task } = effect;
        await this.#parent.call("assign", { ...task, meta: { ...this.#init.taskMeta, ...meta } });
        return;
      }
      case "set-deadline":
        return this.#setDeadline(effect);
      case "aggregate":
        return this.#aggregate(effect);
      case "collect":
        return this.#collect(effect);
      case "close-round":
        return this.#closeRound(effect);
      case "summarize":
        return this.#summarize(effect);
      case "close-task":
        await this.#parent.call("closeTask", { round: effect.round, task: effect.task });
        return;
      case "save-best": {
        const { round, metric, value } = effect;
        return this.#append({ type: "best-model", round, model: await this.#forKeeping(effect.model), metric, value });
      }
      case "end":
        return this.#append({ type: "workflow-ended", model: await this.#forKeeping(effect.model), reason: effect.reason });
      case "finish":
        if (this.#init.isLast) await this.#parent.call("finish", { model: effect.model, reason: effect.reason });
        return this.#outcome.resolve({ type: "finished" });
      case "fail":
        await this.#parent.call("fail", { error: effect.error });
        return this.#outcome.resolve({ type: "failed", error: effect.error });
    }
  }

  async #forSites(model: ObjectRef): Promise<ObjectRef> {
    return this.#dress === undefined ? model : this.#dress.forSites(model);
  }

  async #forKeeping(model: ObjectRef): Promise<ObjectRef> {
    return this.#dress === undefined ? model : this.#dress.forKeeping(model);
  }

  async #fold(effect: Extract<WorkflowEffect, { type: "fold" }>): Promise<void> {
    const problem = await this.#aggregation.fold(effect);
    const { site, base } = effect.contribution;
    if (problem !== undefined) await this.#refuse({ ...effect, ...(base === undefined ? {} : { round: base.round }) }, site, problem);
  }

  /** What a site has sent cannot be used. */
  async #refuse({ round, task }: { readonly round: number; readonly task: string }, site: string, problem: FlareError): Promise<void> {
    if (this.#isOver) return;
    await this.#append({ type: "task-failed", round, task, site, error: problem.toJSON() });
  }

  async #aggregate(effect: Extract<WorkflowEffect, { type: "aggregate" }>): Promise<void> {
    const startedMs = this.#clock.now();
    const result = await this.#aggregation.finish(effect);
    if (result !== undefined) await this.#append({ ...roundClosed(effect), ...result, aggregationSeconds: this.#secondsSince(startedMs) });
  }

  async #collect(effect: Extract<WorkflowEffect, { type: "collect" }>): Promise<void> {
    const startedMs = this.#clock.now();
    const { models, unusable } = await this.#models.collect(effect);
    for (const [site, problem] of unusable) await this.#refuse(effect, site, problem);
    // The round is judged anew without those.
    if (unusable.length > 0) return;
    await this.#append({ ...roundClosed(effect), models, aggregationSeconds: this.#secondsSince(startedMs) });
  }

  async #closeRound(effect: Extract<WorkflowEffect, { type: "close-round" }>): Promise<void> {
    await this.#append({ ...roundClosed(effect), aggregationSeconds: 0 });
  }

  async #summarize(effect: Extract<WorkflowEffect, { type: "summarize" }>): Promise<void> {
    if (this.#summary === undefined) throw new TypeError("a workflow that summarizes has what does it");
    const startedMs = this.#clock.now();
    const { unusable, ...made } = await this.#summary.summarize(effect);
    for (const [site, problem] of unusable) await this.#refuse(effect, site, problem);
    if (unusable.length > 0) return;
    await this.#append({ ...roundClosed(effect), ...made, aggregationSeconds: this.#secondsSince(startedMs) });
  }

  #secondsSince(startedMs: number): number {
    return Math.max(0, this.#clock.now() - startedMs) / 1000;
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

/** The entry that closes a round whose model stays as it was. */
function roundClosed({ round, model, contributions, missing }: ClosingEffect): Omit<RoundClosed, "aggregationSeconds"> {
  const contributors = [...new Set(contributions.map(({ site }) => site))];
  const updates = contributions.flatMap(({ site, base }) => (base === undefined ? [] : [{ site, round: base.round }]));
  const bytes = contributions.reduce((sum, { update }) => sum + update.size, 0);
  const counted = updates.length === 0 ? {} : { updates };
  return { type: "round-closed", round, contributors, missing, model, metrics: meanMetrics(contributions), bytes, ...counted };
}

type ClosingEffect = Extract<WorkflowEffect, { type: "aggregate" | "collect" | "close-round" | "summarize" }>;
type RoundClosed = Extract<JobEvent, { type: "round-closed" }>;

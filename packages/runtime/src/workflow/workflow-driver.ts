import { join } from "node:path";
import type { AggregationEngine, Strategy } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { stepTask } from "../secure-aggregation/step-tasks.js";
import type { ObjectRef } from "../store/model-store.js";
import type { Clock } from "./clock.js";
import { meanMetrics } from "./mean-metrics.js";
import { ModelCollection } from "./model-collection.js";
import type { ModelDress } from "./model-dress.js";
import { RoundAggregation } from "./round-aggregation.js";
import type { RoundSummary } from "./round-summary.js";
import type { RunningWorkflow, WorkflowOutcome } from "./running-workflow.js";
import type { SecureSums } from "./secure-sums.js";
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
  /** Adds updates that it cannot read, where a job asks for that. */
  readonly sums?: SecureSums | undefined;
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
  readonly #sums: SecureSums | undefined;
  #state: State;
  #queue: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void = () => {};
  #isOver = false;

  constructor(components: WorkflowDriverComponents<State>, init: WorkflowDriverInit) {
    const { parent, machine, engine, strategy, clock, dress, summary, sums } = components;
    this.#init = init;
    this.#parent = parent;
    this.#machine = machine;
    this.#clock = clock;
    this.#dress = dress;
    this.#summary = summary;
    this.#sums = sums;
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
      this.#sums?.discard();
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
      case "open-round":
        return this.#openRound(effect);
      case "open-step":
        return this.#openStep(effect);
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
      case "unmask":
        return this.#unmask(effect);
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

  async #openRound(effect: EffectOf<"open-round">): Promise<void> {
    const { type: _, keys, ...opened } = effect;
    const model = effect.round === this.#init.firstRound ? await this.#forSites(effect.model) : effect.model;
    if (keys === undefined) return this.#append({ type: "round-opened", ...opened, model });
    const { made: roster, unusable } = await this.#secure.roster(keys);
    const task = stepTask(effect.task, "keys", 0);
    for (const { site, problem } of unusable) await this.#refuse({ round: this.#init.firstRound, task }, site, problem);
    const sites = opened.sites.filter((site) => !unusable.some((one) => one.site === site));
    await this.#append({ type: "round-opened", ...opened, sites, model, roster });
  }

  async #openStep(effect: EffectOf<"open-step">): Promise<void> {
    const { type: _, of, ...opened } = effect;
    const document = await this.#secure.document(effect);
    if (document === undefined) return;
    const task = of.kind === "proof" ? of.confirmTask : effect.task;
    for (const { site, problem } of document.unusable) await this.#refuse({ round: effect.round, task }, site, problem);
    // The sum is judged anew without those.
    if (document.unusable.length > 0) return;
    await this.#append({ type: "step-opened", ...opened, document: document.made });
  }

  async #unmask(effect: EffectOf<"unmask">): Promise<void> {
    const startedMs = this.#clock.now();
    const opened = await this.#secure.open(effect);
    if (!("session" in opened)) {
      for (const { site, problem } of opened) await this.#refuse({ round: effect.round, task: effect.revealTask }, site, problem);
      return;
    }
    const result = await this.#aggregation.make(opened, effect);
    await this.#secure.close(opened, effect);
    const { bytes } = roundClosed(effect);
    await this.#append({ ...roundClosed(effect), ...result, bytes, aggregationSeconds: this.#secondsSince(startedMs) });
  }

  get #secure(): SecureSums {
    if (this.#sums === undefined) throw new TypeError("a workflow that masks updates has what adds them");
    return this.#sums;
  }

  async #fold(effect: Extract<WorkflowEffect, { type: "fold" }>): Promise<void> {
    const problem = await (this.#sums === undefined ? this.#aggregation.fold(effect) : this.#sums.check(effect));
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

  #setDeadline({ round, task, atMs, mostMs }: Extract<WorkflowEffect, { type: "set-deadline" }>): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#clock.setTimer(Math.min(atMs - this.#clock.now(), mostMs), () => {
      void this.#watch(this.#append({ type: "deadline-passed", round, ...(task === undefined ? {} : { task }) }));
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

type EffectOf<Type extends WorkflowEffect["type"]> = Extract<WorkflowEffect, { type: Type }>;
type ClosingEffect = Extract<WorkflowEffect, { type: "aggregate" | "unmask" | "collect" | "close-round" | "summarize" }>;
type RoundClosed = Extract<JobEvent, { type: "round-closed" }>;

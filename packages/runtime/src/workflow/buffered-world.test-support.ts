import type { FedBuffSettings } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { bufferedMachine } from "./buffered-machine.js";
import type { BufferedPlan, BufferedState } from "./buffered-state.js";
import { Journal, objectNumber } from "./round-plan.test-support.js";
import { advance, type WorkflowEffect } from "./workflow-machine.js";

export function bufferedPlanOf(
  sites: readonly string[],
  settings: Partial<FedBuffSettings> = {},
  rest: Partial<BufferedPlan> = {},
): BufferedPlan {
  return {
    settings: {
      kind: "FedBuff",
      taskName: "train",
      minClients: 1,
      numRounds: 3,
      startRound: 0,
      updatesForModel: 1,
      concurrency: sites.length,
      maxStaleness: undefined,
      stopCondition: undefined,
      patience: undefined,
      keyMetric: "accuracy",
      isKeyMetricNegated: false,
      aggregationWeights: {},
      excludeVars: undefined,
      strategyArgs: {},
      seed: 1,
      ...settings,
    },
    sites,
    mandatoryClients: [],
    firstRound: settings.startRound ?? 0,
    initialModel: objectNumber(0),
    left: [],
    workflow: undefined,
    ...rest,
  };
}

/** A task that a site is at work on. */
export interface TaskAtSite {
  readonly site: string;
  readonly round: number;
}

/** What becomes of a site's task. */
export type Fate = "answers" | "fails" | "leaves" | "unusable";

/** Sites and a driver around a machine: effects are performed in their order, and in between sites do what a test says. */
export class BufferedWorld {
  readonly plan: BufferedPlan;
  /** The state after each entry. */
  readonly states: BufferedState[] = [];
  /** Each set of contributions that a model was made of. */
  readonly aggregated: Extract<WorkflowEffect, { type: "aggregate" }>[] = [];
  end: WorkflowEffect | undefined;
  readonly #machine: ReturnType<typeof bufferedMachine>;
  readonly #journal = new Journal();
  #state: BufferedState;
  #queue: WorkflowEffect[];
  #open: TaskAtSite[] = [];
  readonly #given = new Set<string>();
  readonly #unusable = new Set<string>();

  constructor(plan: BufferedPlan) {
    this.plan = plan;
    this.#machine = bufferedMachine(plan);
    this.#state = this.#machine.initial;
    this.#queue = [...this.#machine.outstanding(this.#state)];
  }

  get state(): BufferedState {
    return this.#state;
  }

  get entries(): readonly JournalEntry[] {
    return this.#journal.entries;
  }

  eventsOf<Type extends JobEvent["type"]>(type: Type): Extract<JobEvent, { type: Type }>[] {
    return this.entries.flatMap(({ event }) => (event.type === type ? [event as Extract<JobEvent, { type: Type }>] : []));
  }

  /** What sites are at work on, sorted. */
  get open(): readonly TaskAtSite[] {
    return this.#open.toSorted((a, b) => (a.site === b.site ? a.round - b.round : a.site < b.site ? -1 : 1));
  }

  get hasWork(): boolean {
    return this.#queue.length > 0;
  }

  /** Performs the next effect, or all that there are. */
  perform(): void {
    const effect = this.#queue.shift();
    if (effect === undefined || this.end !== undefined) return;
    switch (effect.type) {
      case "open-round": {
        const { type: _, ...opened } = effect;
        return this.add({ type: "round-opened", ...opened });
      }
      case "assign-more": {
        const { type: _, ...assigned } = effect;
        return this.add({ type: "task-assigned", ...assigned });
      }
      case "assign":
        for (const site of effect.sites) {
          const key = `${effect.round} ${site}`;
          // The store opens a task once.
          if (this.#given.has(key)) continue;
          this.#given.add(key);
          this.#open.push({ site, round: effect.round });
        }
        return;
      case "close-task":
        this.#open = this.#open.filter(({ round }) => round !== effect.round);
        return;
      case "fold": {
        const { site, base } = effect.contribution;
        const key = `${base?.round} ${site}`;
        if (this.#unusable.has(key)) this.#fail(site, base?.round ?? -1);
        return;
      }
      case "aggregate": {
        if (effect.contributions.some(({ site, base }) => this.#unusable.has(`${base?.round} ${site}`))) return;
        const { round, contributions } = effect;
        this.aggregated.push(effect);
        return this.add({
          type: "round-closed",
          round,
          contributors: [...new Set(contributions.map(({ site }) => site))],
          updates: contributions.map(({ site, base }) => ({ site, round: base?.round ?? -1 })),
          missing: [],
          model: objectNumber(500 + round),
          metrics: { accuracy: round },
          bytes: 1,
          aggregationSeconds: 0,
        });
      }
      case "save-best": {
        const { type: _, ...best } = effect;
        return this.add({ type: "best-model", ...best });
      }
      case "end":
        return this.add({ type: "workflow-ended", model: effect.model, reason: effect.reason });
      case "finish":
      case "fail":
        this.end = effect;
        return;
      case "close-round":
      case "collect":
      case "open-step":
      case "set-deadline":
      case "summarize":
      case "unmask":
      default:
        throw new TypeError(`no such workflow wants ${effect.type}`);
    }
  }

  performAll(): void {
    while (this.hasWork && this.end === undefined) this.perform();
  }

  /** A site is done with its task, one way or another. */
  settle({ site, round }: TaskAtSite, fate: Fate = "answers", metrics: Readonly<Record<string, number>> = {}): void {
    const isOpen = this.#open.some((task) => task.site === site && task.round === round);
    if (!isOpen) throw new TypeError(`${site} is not at work on the model of round ${round}`);
    this.#open = this.#open.filter((task) => task.site !== site || (task.round !== round && fate !== "leaves"));
    if (fate === "fails") return this.#fail(site, round);
    if (fate === "leaves") return this.add({ type: "site-left", site, error: { code: "internal/bug", message: `${site} went` } });
    if (fate === "unusable") this.#unusable.add(`${round} ${site}`);
    const update = objectNumber(10_000 * (round + 1) + Number.parseInt(site, 36));
    this.add({ type: "update-accepted", round, task: "train", site, update, paramsType: "DIFF", weight: 10, metrics, meta: {} });
  }

  /** The process is killed, and another one goes on from the journal. */
  restart(): void {
    let state = this.#machine.initial;
    for (const entry of this.entries) state = this.#machine.step(state, entry);
    this.#state = state;
    this.#queue = [...this.#machine.outstanding(state)];
  }

  add(event: JobEvent): void {
    const { state, effects } = advance(this.#machine, this.#state, this.#journal.add(event));
    this.#state = state;
    this.states.push(state);
    // Folding does not wait for its turn.
    this.#queue.push(...effects);
  }

  #fail(site: string, round: number): void {
    this.add({ type: "task-failed", round, task: "train", site, error: { code: "internal/bug", message: `${site} broke` } });
  }
}

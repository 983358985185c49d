import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { roundMachine } from "./round-machine.js";
import { failureOf, Journal, leftOf, objectNumber, planOf, updateOf } from "./round-plan.test-support.js";
import type { RoundPlan, RoundState } from "./round-state.js";
import { advance, type WorkflowEffect } from "./workflow-machine.js";

describe("round machine, in any order of events", () => {
  it("closes every round with all sites when all answer, whatever is repeated or late", () => {
    fc.assert(
      fc.property(plans({ minClients: "all" }), choices(), (plan, picks) => {
        const world = new World(plan);
        world.live(picks, () => undefined);
        expect(world.end).toMatchObject({ type: "finish" });
        for (const closed of world.closed) {
          expect(closed.contributors).toEqual(world.opened.find(({ round }) => round === closed.round)?.sites);
        }
        expect(world.closed.map(({ round }) => round)).toEqual(plan.settings.numRounds === 1 ? [0] : [0, 1]);
      }),
    );
  });

  it("never counts a site twice or one that was not asked, and comes to an end whoever fails", () => {
    fc.assert(
      fc.property(plans({}), choices(), choices(), (plan, picks, fates) => {
        const world = new World(plan);
        world.live(picks, (site, round) => fateOf(fates, site, round));
        expect(["finish", "fail"]).toContain(world.end?.type);
        for (const { round, contributors } of world.closed) {
          expect(contributors).toEqual([...new Set(contributors)].sort());
          expect(world.opened.find((opened) => opened.round === round)?.sites).toEqual(expect.arrayContaining([...contributors]));
          expect(contributors.length).toBeGreaterThanOrEqual(plan.settings.minClients);
        }
      }),
    );
  });

  it("stands after a replay where it stood before, and wants no more than was wanted", () => {
    fc.assert(
      fc.property(plans({}), choices(), choices(), (plan, picks, fates) => {
        const world = new World(plan);
        world.live(picks, (site, round) => fateOf(fates, site, round));
        const machine = roundMachine(plan);
        let state = machine.initial;
        for (const [index, entry] of world.entries.entries()) {
          state = machine.step(state, entry);
          expect(state).toEqual(world.states[index]);
        }
      }),
    );
  });

  it("writes the same journal after a restart at any entry", () => {
    fc.assert(
      fc.property(plans({}), choices(), choices(), (plan, order, fates) => {
        const fate: Fate = (site, round) => fateOf(fates, site, round);
        const undisturbed = new World(plan);
        undisturbed.drain(order, fate);
        for (let count = 0; count <= undisturbed.entries.length; count++) {
          const restarted = new World(plan, undisturbed.entries.slice(0, count));
          restarted.drain(order, fate);
          expect(restarted.entries).toEqual(undisturbed.entries);
          expect(restarted.end).toEqual(undisturbed.end);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** What becomes of a site's task: `undefined` for an answer. */
type Fate = (site: string, round: number) => "fails" | "leaves" | "unusable" | undefined;

function fateOf(fates: readonly number[], site: string, round: number): ReturnType<Fate> {
  const pick = fates[(Number(site.slice(1)) * 7 + round * 3) % Math.max(1, fates.length)] ?? 0;
  return ([undefined, undefined, undefined, "fails", "leaves", "unusable"] as const)[pick % 6];
}

function plans(init: { readonly minClients?: "all" }): fc.Arbitrary<RoundPlan> {
  return fc
    .record({
      count: fc.integer({ min: 1, max: 5 }),
      quorum: fc.integer({ min: 1, max: 5 }),
      sample: fc.integer({ min: 1, max: 5 }),
      numRounds: fc.integer({ min: 1, max: 2 }),
      seed: fc.nat(),
      isMeasured: fc.boolean(),
    })
    .map(({ count, quorum, sample, numRounds, seed, isMeasured }) => {
      const sites = Array.from({ length: count }, (_, index) => `s${index}`);
      const numClients = Math.min(sample, count);
      const minClients = init.minClients === "all" ? numClients : Math.min(quorum, numClients);
      return planOf(sites, { numClients, minClients, numRounds, seed, ...(isMeasured ? { waitAfterMinReceivedMs: undefined } : {}) });
    });
}

function choices(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(1000), { maxLength: 80 });
}

/** Sites and a driver around a machine: performs effects in their order, lets sites answer, repeats and delays what it can. */
class World {
  readonly states: RoundState[] = [];
  end: WorkflowEffect | undefined;
  readonly #machine: ReturnType<typeof roundMachine>;
  readonly #plan: RoundPlan;
  readonly #journal = new Journal();
  #state: RoundState;
  #queue: WorkflowEffect[];
  #deadline: number | undefined;

  constructor(plan: RoundPlan, past: readonly JournalEntry[] = []) {
    this.#plan = plan;
    this.#machine = roundMachine(plan);
    this.#state = this.#machine.initial;
    for (const { event, atMs } of past) this.#state = this.#machine.step(this.#state, this.#journal.add(event, atMs));
    this.#queue = [...this.#machine.outstanding(this.#state)];
  }

  get entries(): readonly JournalEntry[] {
    return this.#journal.entries;
  }

  get opened(): readonly Extract<JobEvent, { type: "round-opened" }>[] {
    return this.entries.flatMap(({ event }) => (event.type === "round-opened" ? [event] : []));
  }

  get closed(): readonly Extract<JobEvent, { type: "round-closed" }>[] {
    return this.entries.flatMap(({ event }) => (event.type === "round-closed" ? [event] : []));
  }

  /** Lives by arbitrary choices for a while, then to the end. */
  live(picks: readonly number[], fate: Fate): void {
    for (const pick of picks) {
      const kind = pick % 6;
      const site = this.#plan.sites[Math.floor(pick / 6) % this.#plan.sites.length] ?? "s0";
      const round = Math.floor(pick / 30) % 3;
      if (kind <= 1) this.#performNext(fate);
      else if (kind === 2) this.#answer(pick, fate);
      else if (kind === 3 && this.#hasAnswered(site, round)) this.#add(updateOf(site, round));
      else if (kind === 4) this.#add({ type: "site-disconnected", site, reason: "silence" });
      else if (kind === 5 && this.#deadline !== undefined && this.#plan.settings.minClients < this.#plan.settings.numClients) {
        this.#add({ type: "deadline-passed", round: this.#deadline });
      }
    }
    this.drain(picks, fate);
  }

  /** Performs all that is wanted, then lets one site answer, and so on to the end. */
  drain(order: readonly number[], fate: Fate): void {
    for (let step = 0; this.end === undefined; step++) {
      if (step > 500) throw new Error("the job goes round in circles");
      if (this.#queue.length > 0) this.#performNext(fate);
      else if (!this.#answer(order[0] ?? 0, fate)) throw new Error("nothing is wanted, and no site has to answer");
    }
  }

  #performNext(fate: Fate): void {
    const effect = this.#queue.shift();
    switch (effect?.type) {
      case "open-round":
        this.#add({
          type: "round-opened",
          round: effect.round,
          task: effect.task,
          model: effect.model,
          sites: effect.sites,
          totalRounds: effect.totalRounds,
        });
        break;
      case "fold": {
        const { round, contribution } = effect;
        if (fate(contribution.site, round) === "unusable") this.#add(failureOf(contribution.site, round, "NaN"));
        break;
      }
      case "set-deadline":
        this.#deadline = effect.round;
        break;
      case "aggregate": {
        const { round, missing, contributions } = effect;
        const contributors = contributions.map(({ site }) => site);
        if (contributors.some((site) => fate(site, round) === "unusable")) break;
        this.#add({
          type: "round-closed",
          round,
          contributors,
          missing,
          model: objectNumber(round + 1),
          metrics: { accuracy: round },
          bytes: 0,
          aggregationSeconds: 0,
        });
        break;
      }
      case "save-best":
        this.#add({ type: "best-model", round: effect.round, model: effect.model, metric: effect.metric, value: effect.value });
        break;
      case "end":
        this.#add({ type: "workflow-ended", model: effect.model, reason: effect.reason });
        break;
      case "finish":
      case "fail":
        this.end = effect;
        break;
      case "assign":
      case "close-task":
      case "assign-more":
      case "collect":
      case "close-round":
      case "summarize":
      case "open-step":
      case "unmask":
      case undefined:
      default:
        break;
    }
  }

  /** Lets a site that was asked and has not been heard answer; `false` when there is none. */
  #answer(pick: number, fate: Fate): boolean {
    const opened = this.opened.at(-1);
    if (opened === undefined) return false;
    const { round } = opened;
    const silent = opened.sites.filter((site) => !this.#hasAnswered(site, round));
    const site = silent[pick % Math.max(1, silent.length)];
    if (site === undefined) return false;
    const outcome = fate(site, round);
    if (outcome === "fails") this.#add(failureOf(site, round));
    else if (outcome === "leaves") this.#add(leftOf(site));
    else this.#add(updateOf(site, round, { accuracy: round }));
    return true;
  }

  #hasAnswered(site: string, round: number): boolean {
    return this.entries.some(
      ({ event }) =>
        (event.type === "site-left" && event.site === site) ||
        ((event.type === "update-accepted" || event.type === "task-failed") && event.site === site && event.round === round),
    );
  }

  #add(event: JobEvent): void {
    const { state, effects } = advance(this.#machine, this.#state, this.#journal.add(event));
    this.#state = state;
    this.states.push(state);
    this.#queue.push(...effects);
  }
}

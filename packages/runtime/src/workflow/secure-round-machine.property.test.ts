import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { Journal, leftOf, objectNumber, planOf } from "./round-plan.test-support.js";
import { secureRoundMachine } from "./secure-round-machine.js";
import type { SecureRoundPlan, SecureRoundState } from "./secure-round-state.js";
import { advance, type WorkflowEffect } from "./workflow-machine.js";

describe("secure round machine, in any order of events", () => {
  it("makes a sum of nobody but those who confirmed it, all of whom revealed, and of enough", () => {
    fc.assert(
      fc.property(plans(), choices(), choices(), (plan, picks, fates) => {
        const world = new World(plan);
        world.live(picks, (site, step) => fateOf(fates, site, step));
        expect(["finish", "fail"]).toContain(world.end?.type);
        for (const { contributors, round } of world.closed.filter(({ contributors: of }) => of.length > 0)) {
          expect(contributors.length).toBeGreaterThanOrEqual(plan.settings.minClients);
          const steps = world.opened.filter((opened) => opened.round === round && opened.step === "reveal");
          expect(steps).toHaveLength(1);
          expect(steps[0]?.sites).toEqual(contributors);
          const attempt = steps[0]?.attempt ?? -1;
          for (const step of ["confirm", "reveal"]) expect(world.answered(`train.secure-${step}-${attempt}`, round)).toEqual(contributors);
          const masked = attempt === 0 ? "train" : `train.secure-mask-${attempt}`;
          expect(world.answered(masked, round)).toEqual(expect.arrayContaining([...contributors]));
        }
      }),
    );
  });

  it("asks for no other sum of a round once a site may have revealed its masks in it", () => {
    fc.assert(
      fc.property(plans(), choices(), choices(), (plan, picks, fates) => {
        const world = new World(plan);
        world.live(picks, (site, step) => fateOf(fates, site, step));
        const afterReveals = world.opened.flatMap(({ round, step }, at) =>
          step === "reveal" ? world.opened.slice(at + 1).filter((later) => later.round === round) : [],
        );
        expect(afterReveals).toEqual([]);
        for (const { round } of world.closed) expect(world.closed.filter((closed) => closed.round === round)).toHaveLength(1);
      }),
    );
  });

  it("leaves every round its own attempts, each without somebody who was in the one before", () => {
    fc.assert(
      fc.property(plans(), choices(), choices(), (plan, picks, fates) => {
        const world = new World(plan);
        world.live(picks, (site, step) => fateOf(fates, site, step));
        const confirms = world.opened.filter(({ step }) => step === "confirm");
        const wrong = confirms.filter(({ round, attempt, sites }, at) => {
          const before = confirms[at - 1];
          if (before?.round !== round) return attempt !== 0;
          return attempt !== before.attempt + 1 || sites.length >= before.sites.length;
        });
        expect(wrong).toEqual([]);
      }),
    );
  });

  it("writes the same journal after a restart at any entry", () => {
    fc.assert(
      fc.property(plans(), choices(), choices(), (plan, order, fates) => {
        const fate: Fate = (site, step) => fateOf(fates, site, step);
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

  it("goes on with all sites when all answer, whatever is repeated", () => {
    fc.assert(
      fc.property(plans(), choices(), (plan, picks) => {
        const world = new World({ ...plan, settings: { ...plan.settings, minClients: plan.settings.numClients } });
        world.live(picks, () => undefined);
        expect(world.end).toMatchObject({ type: "finish" });
        for (const { contributors } of world.closed) expect(contributors).toHaveLength(plan.settings.numClients);
        expect(world.opened.filter(({ step }) => step === "mask")).toEqual([]);
      }),
    );
  });
});

/** What becomes of a site's task or step: `undefined` for an answer. */
type Fate = (site: string, task: string) => "fails" | "leaves" | "silent" | undefined;

function fateOf(fates: readonly number[], site: string, task: string): ReturnType<Fate> {
  const place = Array.from(`${site} ${task}`).reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 9973, 7);
  const pick = fates[place % Math.max(1, fates.length)] ?? 0;
  return ([undefined, undefined, undefined, undefined, undefined, "fails", "leaves", "silent"] as const)[pick % 8];
}

function plans(): fc.Arbitrary<SecureRoundPlan> {
  return fc
    .record({
      count: fc.integer({ min: 2, max: 6 }),
      quorum: fc.integer({ min: 2, max: 4 }),
      numRounds: fc.integer({ min: 1, max: 2 }),
      seed: fc.nat(),
    })
    .map(({ count, quorum, numRounds, seed }) => {
      const sites = Array.from({ length: count }, (_, index) => `s${index}`);
      const minClients = Math.min(quorum, count);
      return { ...planOf(sites, { minClients, numRounds, seed }), secure: { minSites: 2, maxWeight: 100, stepTimeoutMs: 1000 } };
    });
}

function choices(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(1000), { maxLength: 60 });
}

type Opened = Extract<JobEvent, { type: "step-opened" }>;
type Asked = { readonly round: number; readonly task: string; readonly sites: readonly string[] };

/** Sites and a driver around a machine: performs effects in their order, lets sites answer, and lets deadlines pass. */
class World {
  end: WorkflowEffect | undefined;
  readonly #machine: ReturnType<typeof secureRoundMachine>;
  readonly #journal = new Journal();
  #state: SecureRoundState;
  #queue: WorkflowEffect[];
  #deadline: { readonly round: number; readonly task?: string } | undefined;

  constructor(plan: SecureRoundPlan, past: readonly JournalEntry[] = []) {
    this.#machine = secureRoundMachine(plan);
    this.#state = this.#machine.initial;
    for (const { event, atMs } of past) this.#state = this.#machine.step(this.#state, this.#journal.add(event, atMs));
    this.#queue = [...this.#machine.outstanding(this.#state)];
  }

  get entries(): readonly JournalEntry[] {
    return this.#journal.entries;
  }

  get opened(): readonly Opened[] {
    return this.entries.flatMap(({ event }) => (event.type === "step-opened" ? [event] : []));
  }

  get closed(): readonly Extract<JobEvent, { type: "round-closed" }>[] {
    return this.entries.flatMap(({ event }) => (event.type === "round-closed" ? [event] : []));
  }

  answered(task: string, round: number): readonly string[] {
    return this.entries
      .flatMap(({ event }) =>
        (event.type === "step-answered" || event.type === "update-accepted") && event.task === task && event.round === round
          ? [event.site]
          : [],
      )
      .sort();
  }

  /** Lives by arbitrary choices for a while, then to the end. */
  live(picks: readonly number[], fate: Fate): void {
    for (const pick of picks) {
      if (pick % 3 === 0) this.#answer(pick, fate);
      else if (pick % 3 === 1) this.#performNext();
      else {
        const again = this.entries.at(pick % Math.max(1, this.entries.length))?.event;
        if (again?.type === "step-answered" || again?.type === "update-accepted") this.#add(again);
      }
    }
    this.drain(picks, fate);
  }

  /** Performs all that is wanted, then lets one site answer; when none does any more, the deadline passes. */
  drain(order: readonly number[], fate: Fate): void {
    for (let turn = 0; this.end === undefined; turn++) {
      if (turn > 1000) throw new Error("the job goes round in circles");
      if (this.#queue.length > 0) this.#performNext();
      else if (!this.#answer(order[0] ?? 0, fate)) {
        const deadline = this.#deadline;
        this.#deadline = undefined;
        if (deadline !== undefined) this.#add({ type: "deadline-passed", ...deadline });
        // The server's parent gives up what does not move.
        else if (!this.#answer(0, () => "fails")) throw new Error("nothing is wanted, and no site has to answer");
      }
    }
  }

  #performNext(): void {
    const effect = this.#queue.shift();
    switch (effect?.type) {
      case "open-round": {
        const { type: _, keys = [], ...opened } = effect;
        assert.deepEqual(
          keys.map(([site]) => site),
          opened.sites,
        );
        this.#add({ type: "round-opened", ...opened, roster: objectNumber(7) });
        return;
      }
      case "open-step": {
        const { type: _, of: __, ...opened } = effect;
        this.#add({ type: "step-opened", ...opened, document: objectNumber(9) });
        return;
      }
      case "set-deadline":
        this.#deadline = { round: effect.round, ...(effect.task === undefined ? {} : { task: effect.task }) };
        return;
      case "unmask":
      case "close-round": {
        const { round, missing, contributions } = effect;
        if (effect.type === "unmask")
          assert.deepEqual(
            effect.revealed.map(([site]) => site),
            contributions.map(({ site }) => site),
          );
        const contributors = contributions.map(({ site }) => site);
        const model = effect.type === "unmask" ? objectNumber(round + 1) : effect.model;
        this.#add({ type: "round-closed", round, contributors, missing, model, metrics: {}, bytes: 0, aggregationSeconds: 0 });
        return;
      }
      case "end":
        this.#add({ type: "workflow-ended", model: effect.model, reason: effect.reason });
        return;
      case "finish":
      case "fail":
        this.end = effect;
        return;
      case "assign-more":
      case "assign":
      case "fold":
      case "aggregate":
      case "collect":
      case "summarize":
      case "close-task":
      case "save-best":
      case undefined:
      default:
        return;
    }
  }

  /** Lets a site that was asked and has not been heard answer; `false` when there is none that would. */
  #answer(pick: number, fate: Fate): boolean {
    const asked = this.entries
      .flatMap(({ event }): Asked[] => (event.type === "step-opened" || event.type === "round-opened" ? [event] : []))
      .at(-1);
    if (asked === undefined) return false;
    const { round, task } = asked;
    const silent = asked.sites.filter((site) => !this.#isDone(site, asked) && fate(site, `${task} ${round}`) !== "silent");
    const site = silent[pick % Math.max(1, silent.length)];
    if (site === undefined) return false;
    const outcome = fate(site, `${task} ${round}`);
    const update = objectNumber(100 + Number(site.slice(1)));
    if (outcome === "fails") this.#add({ type: "task-failed", round, task, site, error: { code: "internal/bug", message: "broke" } });
    else if (outcome === "leaves") this.#add(leftOf(site));
    else if (task === "train")
      this.#add({ type: "update-accepted", round, task, site, update, paramsType: "DIFF", weight: 1, metrics: {}, meta: {} });
    else this.#add({ type: "step-answered", round, task, site, update });
    return true;
  }

  #isDone(site: string, { round, task }: Asked): boolean {
    return this.entries.some(
      ({ event }) =>
        (event.type === "site-left" && event.site === site) ||
        ((event.type === "update-accepted" || event.type === "step-answered" || event.type === "task-failed") &&
          event.site === site &&
          event.task === task &&
          event.round === round),
    );
  }

  #add(event: JobEvent): void {
    const { state, effects, isDeadlineOff } = advance(this.#machine, this.#state, this.#journal.add(event));
    this.#state = state;
    if (isDeadlineOff) this.#deadline = undefined;
    this.#queue.push(...effects);
  }
}

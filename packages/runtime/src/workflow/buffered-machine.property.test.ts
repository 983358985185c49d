import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bufferedMachine } from "./buffered-machine.js";
import { sitesAtWork } from "./buffered-sites.js";
import type { BufferedPlan } from "./buffered-state.js";
import { BufferedWorld, bufferedPlanOf, type Fate } from "./buffered-world.test-support.js";
import { presentSites } from "./round-quorum.js";

describe("buffered machine, in any order of events", () => {
  it("comes to an end whoever fails, leaves, or is killed, and never waits for what cannot come", () => {
    fc.assert(
      fc.property(plans(), choices(), (plan, picks) => {
        const world = live(plan, picks);
        expect(["finish", "fail"]).toContain(world.end?.type);
        const made = world.eventsOf("round-closed").length;
        expect(world.end?.type === "fail" || made === plan.settings.numRounds).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("counts each update at most once, the first that came, and none that is too old", () => {
    fc.assert(
      fc.property(plans(), choices(), (plan, picks) => {
        const world = live(plan, picks);
        expect(world.eventsOf("round-closed").map(({ updates }) => updates)).toEqual(countedByReference(world));
        const counted = world.aggregated.flatMap(({ contributions }) => contributions.map(({ site, base }) => `${site} ${base?.round}`));
        expect(new Set(counted).size).toBe(counted.length);
        for (const { round, contributions } of world.aggregated) {
          for (const { base } of contributions)
            expect(round - (base?.round ?? -1)).toBeLessThanOrEqual(plan.settings.maxStaleness ?? round);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("gives a site a model once, and no more sites than may be at work at once", () => {
    fc.assert(
      fc.property(plans(), choices({ isKilled: false }), (plan, picks) => {
        const world = live(plan, picks);
        const given = [...world.eventsOf("round-opened"), ...world.eventsOf("task-assigned")].flatMap(({ round, sites }) =>
          sites.map((site) => `${site} ${round}`),
        );
        expect(new Set(given).size).toBe(given.length);
        for (const state of world.states) expect(sitesAtWork(state).length).toBeLessThanOrEqual(plan.settings.concurrency);
      }),
    );
  });

  it("leaves no site idle that might be at work on the newest model", () => {
    fc.assert(
      fc.property(plans(), choices(), (plan, picks) => {
        const idleInVain: string[] = [];
        live(plan, picks, (world) => {
          const { phase, sites } = world.state;
          if (phase.name !== "collecting") return;
          const idle = presentSites(plan, world.state).filter((site) => {
            const turn = sites.get(site);
            return turn === undefined || (!turn.isAtWork && turn.round < phase.round);
          });
          if (world.open.length < plan.settings.concurrency) idleInVain.push(...idle);
        });
        expect(idleInVain).toEqual([]);
      }),
    );
  });

  it("stands after a replay of any part of its journal where it stood then", () => {
    fc.assert(
      fc.property(plans(), choices({ isKilled: false }), (plan, picks) => {
        const world = live(plan, picks);
        const machine = bufferedMachine(plan);
        let state = machine.initial;
        for (const [index, entry] of world.entries.entries()) {
          state = machine.step(state, entry);
          expect(state).toEqual(world.states[index]);
          expect(machine.outstanding(state)).toEqual(machine.outstanding(world.states[index] ?? machine.initial));
          // What is told twice changes nothing.
          expect(machine.step(state, entry)).toEqual(state);
        }
      }),
    );
  });
});

/** The updates of each model, read off a journal without a state: the first so many that no model has, are not refused, and not too old. */
function countedByReference({ plan, entries }: BufferedWorld): (readonly { site: string; round: number }[])[] {
  const models: { site: string; round: number }[][] = [];
  const refused = new Set<string>();
  for (const { event } of entries) if (event.type === "task-failed") refused.add(`${event.site} ${event.round}`);
  const open = new Map<string, number>();
  let buffer: { site: string; round: number }[] = [];
  for (const { event } of entries) {
    if (event.type === "round-opened") {
      const oldest = event.round - (plan.settings.maxStaleness ?? event.round);
      buffer = buffer.filter(({ round }) => round >= oldest);
      for (const [site, round] of open) if (round < oldest) open.delete(site);
    }
    if (event.type === "round-opened" || event.type === "task-assigned") {
      for (const site of event.sites) if (!open.has(site)) open.set(site, event.round);
    }
    if (event.type === "site-left") open.delete(event.site);
    // An update that turned out to be unusable fails while its site may be at work on a newer model.
    if (event.type === "task-failed" && open.get(event.site) === event.round) open.delete(event.site);
    if (event.type === "update-accepted" && open.get(event.site) === event.round) {
      open.delete(event.site);
      if (!refused.has(`${event.site} ${event.round}`)) buffer.push({ site: event.site, round: event.round });
    }
    if (event.type === "round-closed") {
      const counted = buffer.splice(0, plan.settings.updatesForModel);
      models.push(counted.toSorted((a, b) => (a.site === b.site ? a.round - b.round : a.site < b.site ? -1 : 1)));
    }
  }
  return models;
}

/** Lets sites, the driver and whoever kills it do what is picked, in any order, and at last whatever is left. */
function live(plan: BufferedPlan, picks: readonly Pick[], onQuiet: (world: BufferedWorld) => void = () => {}): BufferedWorld {
  const world = new BufferedWorld(plan);
  let next = 0;
  for (let steps = 0; world.end === undefined && steps < 5_000; steps++) {
    const { what, which, fate } = picks[next++] ?? { what: world.hasWork ? 0 : 2, which: 0, fate: "answers" };
    const task = world.open[which % Math.max(1, world.open.length)];
    if (what === 3) world.restart();
    else if (task !== undefined && what === 2) world.settle(task, fate, { accuracy: which });
    else if (world.hasWork) world.perform();
    if (!world.hasWork) onQuiet(world);
  }
  return world;
}

interface Pick {
  /** 0 and 1: the driver, 2: a site, 3: a kill. */
  readonly what: number;
  readonly which: number;
  readonly fate: Fate;
}

function choices({ isKilled = true } = {}): fc.Arbitrary<Pick[]> {
  const fate = fc.constantFrom<Fate>("answers", "answers", "answers", "answers", "answers", "fails", "leaves", "unusable");
  return fc.array(fc.record({ what: fc.nat(isKilled ? 3 : 2), which: fc.nat(30), fate }), { maxLength: 150 });
}

function plans(): fc.Arbitrary<BufferedPlan> {
  return fc
    .record({
      count: fc.integer({ min: 1, max: 5 }),
      needed: fc.integer({ min: 1, max: 5 }),
      atOnce: fc.integer({ min: 1, max: 5 }),
      numRounds: fc.integer({ min: 1, max: 6 }),
      maxStaleness: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      seed: fc.nat(),
    })
    .map(({ count, needed, atOnce, numRounds, maxStaleness, seed }) => {
      const sites = Array.from({ length: count }, (_, index) => `s${index}`);
      const [updatesForModel, concurrency] = [Math.min(needed, count), Math.min(atOnce, count)];
      return bufferedPlanOf(sites, { updatesForModel, concurrency, numRounds, maxStaleness, seed });
    });
}

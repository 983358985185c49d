import { describe, expect, it } from "vitest";
import { BufferedWorld, bufferedPlanOf } from "./buffered-world.test-support.js";

const sites = ["s1", "s2", "s3"];

/** A world in which all that is wanted was done. */
function quietWorld(...init: Parameters<typeof bufferedPlanOf>): BufferedWorld {
  const world = new BufferedWorld(bufferedPlanOf(...init));
  world.performAll();
  return world;
}

function settled(world: BufferedWorld, ...tasks: readonly Parameters<BufferedWorld["settle"]>[]): void {
  for (const task of tasks) {
    world.settle(...task);
    world.performAll();
  }
}

describe("buffered machine", () => {
  it("gives a site the newest model as soon as it has handed in, and counts what a slow one hands in later", () => {
    const world = quietWorld(sites, { updatesForModel: 2, numRounds: 4 });
    settled(world, [{ site: "s1", round: 0 }], [{ site: "s2", round: 0 }]);
    expect(world.open).toEqual([
      { site: "s1", round: 1 },
      { site: "s2", round: 1 },
      { site: "s3", round: 0 },
    ]);
    settled(world, [{ site: "s3", round: 0 }]);
    expect(world.open.at(-1)).toEqual({ site: "s3", round: 1 });
    settled(world, [{ site: "s1", round: 1 }]);
    expect(world.eventsOf("round-closed").at(-1)?.updates).toEqual([
      { site: "s1", round: 1 },
      { site: "s3", round: 0 },
    ]);
  });

  it("lets a site wait that has handed in from the newest model, as it is given a model once", () => {
    const world = quietWorld(sites, { updatesForModel: 3 });
    settled(world, [{ site: "s1", round: 0 }], [{ site: "s2", round: 0 }]);
    expect(world.open).toEqual([{ site: "s3", round: 0 }]);
  });

  it("counts two updates of one site where it has handed in from two models", () => {
    const world = quietWorld(["s1", "s2"], { updatesForModel: 2, numRounds: 4 });
    settled(world, [{ site: "s1", round: 0 }], [{ site: "s2", round: 0 }], [{ site: "s1", round: 1 }], [{ site: "s2", round: 1 }]);
    expect(world.aggregated.map(({ contributions }) => contributions.map(({ site, base }) => `${site}@${base?.round}`))).toEqual([
      ["s1@0", "s2@0"],
      ["s1@1", "s2@1"],
    ]);
    const one = quietWorld(sites, { updatesForModel: 2, numRounds: 4 });
    settled(one, [{ site: "s1", round: 0 }], [{ site: "s2", round: 0 }], [{ site: "s3", round: 0 }], [{ site: "s3", round: 1 }]);
    expect(one.eventsOf("round-closed").at(-1)).toMatchObject({
      contributors: ["s3"],
      updates: [
        { site: "s3", round: 0 },
        { site: "s3", round: 1 },
      ],
    });
  });

  it("keeps as many sites at work as it may, and gives the next model to who was given one longest ago", () => {
    const world = quietWorld(sites, { concurrency: 1, numRounds: 6 });
    const had: string[] = [];
    while (world.end === undefined) {
      const [task] = world.open;
      if (task === undefined) break;
      had.push(task.site);
      settled(world, [task]);
    }
    expect(had).toHaveLength(6);
    expect(new Set(had.slice(0, 3))).toEqual(new Set(sites));
    expect(had.slice(3)).toEqual(had.slice(0, 3));
  });

  it("tells a site to stop whose model is too old, and gives it the newest", () => {
    const world = quietWorld(sites, { maxStaleness: 1, numRounds: 5 });
    settled(world, [{ site: "s1", round: 0 }], [{ site: "s1", round: 1 }]);
    expect(world.open).toEqual([
      { site: "s1", round: 2 },
      { site: "s2", round: 2 },
      { site: "s3", round: 2 },
    ]);
  });

  it("goes on without a site that fails, until the next model, and without one that leaves", () => {
    const world = quietWorld(sites, { updatesForModel: 1 });
    settled(world, [{ site: "s1", round: 0 }, "fails"], [{ site: "s2", round: 0 }, "leaves"]);
    expect(world.open).toEqual([{ site: "s3", round: 0 }]);
    settled(world, [{ site: "s3", round: 0 }]);
    expect(world.open).toEqual([
      { site: "s1", round: 1 },
      { site: "s3", round: 1 },
    ]);
  });

  it("makes a model of fewer updates where nobody can add one, and fails where there is none", () => {
    const world = quietWorld(sites, { updatesForModel: 3, numRounds: 2 });
    settled(world, [{ site: "s1", round: 0 }], [{ site: "s2", round: 0 }, "leaves"], [{ site: "s3", round: 0 }, "fails"]);
    expect(world.eventsOf("round-closed")).toMatchObject([{ updates: [{ site: "s1", round: 0 }] }]);
    settled(world, [{ site: "s1", round: 1 }, "fails"], [{ site: "s3", round: 1 }, "fails"]);
    expect(world.end).toMatchObject({
      type: "fail",
      error: { code: "runtime/quorum-lost", message: expect.stringContaining("no site has made an update") },
    });
  });

  it.each([
    [{ minClients: 2 }, {}, "runtime/quorum-lost", "needs 2 sites, and only 1 is left"],
    [{}, { mandatoryClients: ["s1"] }, "runtime/mandatory-site-lost", "s1, a mandatory client"],
  ])("fails when sites are gone that it must have: %o %o", (settings, rest, code, message) => {
    const world = quietWorld(sites, settings, rest);
    settled(world, [{ site: "s1", round: 0 }, "leaves"]);
    if (world.end === undefined) settled(world, [{ site: "s2", round: 0 }, "leaves"]);
    expect(world.end).toMatchObject({ type: "fail", error: { code, message: expect.stringContaining(message) } });
  });

  it("takes an update back that cannot be used, and makes the model of others", () => {
    const world = quietWorld(sites, { updatesForModel: 2 });
    settled(world, [{ site: "s1", round: 0 }, "unusable"], [{ site: "s2", round: 0 }], [{ site: "s3", round: 0 }]);
    expect(world.eventsOf("round-closed")).toMatchObject([
      {
        updates: [
          { site: "s2", round: 0 },
          { site: "s3", round: 0 },
        ],
      },
    ]);
  });

  it("judges a model once nobody is at work on it, by what all who were have measured, and keeps the best", () => {
    const world = quietWorld(sites, { updatesForModel: 2, numRounds: 4 });
    settled(world, [{ site: "s1", round: 0 }, "answers", { accuracy: 0.4 }], [{ site: "s2", round: 0 }, "answers", { accuracy: 0.5 }]);
    expect(world.eventsOf("best-model")).toEqual([]);
    settled(world, [{ site: "s3", round: 0 }, "answers", { accuracy: 0.9 }]);
    expect(world.eventsOf("best-model")).toMatchObject([{ round: 0, value: expect.closeTo(0.6) }]);
  });

  it("ends early by its stop condition, or for want of a better model, and tells who is at work to stop", () => {
    const world = quietWorld(sites, { stopCondition: { metric: "accuracy", comparison: ">=", value: 1 }, numRounds: 10 });
    settled(world, [{ site: "s1", round: 0 }], [{ site: "s1", round: 1 }]);
    expect(world.end).toMatchObject({ type: "finish", reason: "accuracy >= 1 came true in round 1 with 1" });
    expect(world.open).toEqual([]);
    const bored = quietWorld(["s1"], { patience: 2, numRounds: 10 });
    for (let round = 0; round < 3; round++) settled(bored, [{ site: "s1", round }, "answers", { accuracy: 0.5 }]);
    expect(bored.end).toMatchObject({ reason: "no better accuracy than 0.5 in 2 rounds" });
  });

  it("numbers its models as a part of its job, and counts them for trainers from its own first one", () => {
    const world = new BufferedWorld(bufferedPlanOf(["s1"], { startRound: 5 }, { firstRound: 7, workflow: "w" }));
    world.perform();
    expect(world.eventsOf("round-opened")).toMatchObject([{ round: 7, workflow: "w", buffered: { oldestBase: 7, updates: 1 } }]);
  });
});

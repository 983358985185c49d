import { describe, expect, it } from "vitest";
import { carryOut, type ReferenceModel, type ReferenceUpdate } from "./carry-out.reference.js";
import { sampleUpdates, seeded } from "./sample-round.test-support.js";
import { type ScaffoldControlSettings, type ScaffoldModelSettings, scaffoldControl, scaffoldModel, scaffoldRound } from "./scaffold.js";
import { ScaffoldServer } from "./scaffold.reference.js";

describe("scaffoldModel and scaffoldControl", () => {
  it.each([1, 0.5])("keep model and control variate as Algorithm 1 has them, with a global step size of %s", (globalLearningRate) => {
    const next = seeded(3);
    const sites = 7;
    const server = new ScaffoldServer(0.25, sites, globalLearningRate);
    let model: ReferenceModel = { w: [0.25] };
    let control: ReferenceModel = { w: [0] };
    for (let round = 0; round < 40; round++) {
      const present = Array.from({ length: sites }, (_, site) => site).filter(() => next() < 0.5);
      if (present.length === 0) continue;
      const sent = new Map(present.map((site) => [site, { model: next() - 0.5, control: next() - 0.5 }]));
      const updatesOf = (difference: (site: number) => number) =>
        present.map((site) => ({ contributor: `site-${site}`, weight: 1 + site, tensors: { w: [difference(site)] } }));
      const models = updatesOf((site) => (sent.get(site)?.model ?? Number.NaN) - server.x);
      const controls = updatesOf((site) => (sent.get(site)?.control ?? Number.NaN) - (server.controls[site] ?? Number.NaN));
      model = carryOut(scaffoldModel({ globalLearningRate }), { base: model, updates: models, paramsType: "DIFF" }).model;
      control = carryOut(scaffoldControl({ totalClients: sites }), { base: control, updates: controls, paramsType: "DIFF" }).model;
      server.round(sent);
      // All values stay below 1; a few roundings a round add up over 40 rounds.
      expect(Math.abs((model["w"]?.[0] ?? Number.NaN) - server.x)).toBeLessThan(1e-13);
      expect(Math.abs((control["w"]?.[0] ?? Number.NaN) - server.control)).toBeLessThan(1e-13);
    }
  });

  it("count a control variate that a site does not send as unchanged", () => {
    const updates: readonly ReferenceUpdate[] = [
      { contributor: "a", weight: 1, tensors: { w: [4], v: [8] } },
      { contributor: "b", weight: 1, tensors: { w: [4] } },
    ];
    const { model } = carryOut(scaffoldControl({ totalClients: 4 }), { base: { w: [1], v: [1] }, updates, paramsType: "DIFF" });
    expect(model).toEqual({ w: [3], v: [3] });
  });

  it("make the same of whole values", () => {
    const base = { w: [1] };
    const whole = [5, 3].map((value, site): ReferenceUpdate => ({ contributor: `site-${site}`, weight: 1, tensors: { w: [value] } }));
    const changes = whole.map((update) => ({ ...update, tensors: { w: [(update.tensors["w"]?.[0] ?? Number.NaN) - 1] } }));
    for (const strategy of [scaffoldModel({ globalLearningRate: 0.5 }), scaffoldControl({ totalClients: 4 })]) {
      const { model } = carryOut(strategy, { base, updates: whole, paramsType: "FULL" });
      expect(model).toEqual(carryOut(strategy, { base, updates: changes, paramsType: "DIFF" }).model);
      expect(model).toEqual({ w: [2.5] });
    }
  });
});

describe("scaffoldModel", () => {
  it("weighs with numbers of samples when asked, as FLARE does", () => {
    const updates = sampleUpdates(seeded(4), 5, { w: 1 });
    const { model } = carryOut(scaffoldModel({ weighting: "samples" }), { base: { w: [0] }, updates, paramsType: "DIFF" });
    const total = updates.reduce((sum, { weight }) => sum + weight, 0);
    const expected = updates.reduce((sum, { weight, tensors }) => sum + (weight * (tensors["w"]?.[0] ?? Number.NaN)) / total, 0);
    expect(model["w"]?.[0]).toBeCloseTo(expected, 10);
  });

  it("does not scale running statistics", () => {
    const updates = [{ contributor: "a", weight: 1, tensors: { w: [2], running_mean: [2] } }];
    const base = { w: [0], running_mean: [0] };
    expect(carryOut(scaffoldModel({ globalLearningRate: 0.5 }), { base, updates, paramsType: "DIFF" }).model).toEqual({
      w: [1],
      running_mean: [2],
    });
  });

  it.each([
    [{ globalLearningRate: 0 }, /"globalLearningRate" of scaffold is 0; it must be a number above 0 and at most 1000/],
    [{ weighting: "both" }, /"weighting" of scaffold is "both"; it must be "uniform" or "samples"/],
  ])("refuses %o", (settings, message) => {
    expect(() => scaffoldModel(settings as unknown as ScaffoldModelSettings)).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringMatching(message) }),
    );
  });
});

describe("scaffoldControl", () => {
  it("refuses more contributors than there are sites", () => {
    const updates = sampleUpdates(seeded(5), 3, { w: 1 });
    expect(() => carryOut(scaffoldControl({ totalClients: 2 }), { base: { w: [0] }, updates, paramsType: "DIFF" })).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit", facts: expect.objectContaining({ contributors: 3, totalClients: 2 }) }),
    );
  });

  it.each([0, 1.5, undefined])("refuses %s sites", (totalClients) => {
    expect(() => scaffoldControl({ totalClients } as ScaffoldControlSettings)).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringContaining('"totalClients"') }),
    );
  });
});

describe("scaffoldRound", () => {
  it("combines weights and control variates as Algorithm 1 has them, round after round", () => {
    const next = seeded(11);
    const sites = 5;
    const server = new ScaffoldServer(0.25, sites, 0.8);
    const strategy = scaffoldRound({ totalClients: sites, globalLearningRate: 0.8 });
    let model: ReferenceModel = { w: [0.25], "scaffold_c_global.w": [0] };
    for (let round = 0; round < 40; round++) {
      const present = Array.from({ length: sites }, (_, site) => site).filter(() => next() < 0.5);
      if (present.length === 0) continue;
      const sent = new Map(present.map((site) => [site, { model: next() - 0.5, control: next() - 0.5 }]));
      const updates = [...sent].map(
        ([site, each]): ReferenceUpdate => ({
          contributor: `site-${site}`,
          weight: 1 + site,
          tensors: { w: [each.model - server.x], "scaffold_c_global.w": [each.control - (server.controls[site] ?? Number.NaN)] },
        }),
      );
      ({ model } = carryOut(strategy, { base: model, updates, paramsType: "DIFF" }));
      server.round(sent);
      expect(Math.abs((model["w"]?.[0] ?? Number.NaN) - server.x)).toBeLessThan(1e-13);
      expect(Math.abs((model["scaffold_c_global.w"]?.[0] ?? Number.NaN) - server.control)).toBeLessThan(1e-13);
    }
  });

  it("weighs the model alone with numbers of samples", () => {
    const updates = [1, 3].map(
      (weight): ReferenceUpdate => ({ contributor: `site-${weight}`, weight, tensors: { w: [weight], "scaffold_c_global.w": [weight] } }),
    );
    const base = { w: [0], "scaffold_c_global.w": [0] };
    const strategy = scaffoldRound({ totalClients: 4, weighting: "samples" });
    expect(carryOut(strategy, { base, updates, paramsType: "DIFF" }).model).toEqual({ w: [2.5], "scaffold_c_global.w": [1] });
  });

  it("refuses more contributors than there are sites", () => {
    const updates = sampleUpdates(seeded(5), 3, { w: 1 });
    expect(() => carryOut(scaffoldRound({ totalClients: 2 }), { base: { w: [0] }, updates, paramsType: "DIFF" })).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit" }),
    );
  });
});

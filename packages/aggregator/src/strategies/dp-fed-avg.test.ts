import { describe, expect, it } from "vitest";
import { carryOut, type ReferenceUpdate } from "./carry-out.reference.js";
import { type DpFedAvgInit, dpFedAvg } from "./dp-fed-avg.js";
import { privateChange } from "./dp-fed-avg.reference.js";
import { plainNoise } from "./gaussian-noise.reference.js";
import { sampleUpdates, seeded, seededBytes } from "./sample-round.test-support.js";

const settings = { clipNorm: 2, noiseMultiplier: 0.5, expectedContributors: 10 };
const size = 12;
const base = { w: Array<number>(size).fill(0) };

function changeOf(updates: readonly ReferenceUpdate[], init: Partial<DpFedAvgInit> = {}, from = base): readonly number[] {
  const strategy = dpFedAvg({ ...settings, randomBytes: seededBytes(9), ...init });
  return carryOut(strategy, { base: from, updates, paramsType: "DIFF" }).model["w"] ?? [];
}

describe("dpFedAvg", () => {
  it("is the sum of clipped changes and noise over the fixed number of contributors", () => {
    const noise = plainNoise(size, seededBytes(9)(32 * size));
    for (const contributors of [1, 4, 10, 15]) {
      const updates = sampleUpdates(seeded(contributors), contributors, { w: size });
      const expected = privateChange(
        updates.map(({ tensors }) => tensors["w"] ?? []),
        { ...settings, noise },
      );
      for (const [e, value] of changeOf(updates).entries()) {
        // Norms are taken for 2^-28 longer than they are, and both parts go to a grid of 2^-30 standard deviations.
        const bound = (contributors * settings.clipNorm * 2 ** -27) / settings.expectedContributors + 2 ** -30;
        expect(Math.abs(value - (expected[e] ?? Number.NaN))).toBeLessThan(bound);
      }
    }
  });

  it("changes by at most the clipping norm over the fixed number, when one contributor comes or goes", () => {
    const next = seeded(80);
    for (let round = 0; round < 20; round++) {
      const updates = sampleUpdates(next, 6, { w: size });
      const one = changeOf(updates);
      const other = changeOf(updates.slice(1));
      const moved = Math.sqrt(one.reduce((sum, value, e) => sum + (value - (other[e] ?? Number.NaN)) ** 2, 0));
      const deviation = (settings.noiseMultiplier * settings.clipNorm) / settings.expectedContributors;
      expect(moved).toBeLessThanOrEqual(settings.clipNorm / settings.expectedContributors + Math.sqrt(size) * 2 ** -30 * deviation);
    }
  });

  it("adds noise of the promised size to everything, also to tensors that nobody sent", () => {
    const many = 20_000;
    const wide = { w: Array<number>(many).fill(0), unsent: Array<number>(many).fill(0) };
    const updates = [{ contributor: "a", weight: 1, tensors: { w: wide.w } }];
    const strategy = dpFedAvg({ ...settings, randomBytes: seededBytes(10) });
    const { model } = carryOut(strategy, { base: wide, updates, paramsType: "DIFF" });
    const deviation = (settings.noiseMultiplier * settings.clipNorm) / settings.expectedContributors;
    for (const name of ["w", "unsent"]) {
      const variance = (model[name] ?? []).reduce((sum, value) => sum + value ** 2, 0) / many;
      expect(Math.abs(variance / deviation ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / many));
    }
  });

  it("counts a tensor that a contributor did not send as unchanged", () => {
    const updates: readonly ReferenceUpdate[] = [
      { contributor: "a", weight: 1, tensors: { w: Array<number>(size).fill(0.1) } },
      { contributor: "b", weight: 1, tensors: {} },
    ];
    const both = changeOf(updates);
    expect(both).toEqual(changeOf(updates.slice(0, 1)));
  });

  it("lands on a grid that depends on the settings alone", () => {
    // The deviation is 0.1, the power of two below it 2^-4.
    const step = 2 ** -34;
    for (const seed of [1, 2, 3]) {
      for (const value of changeOf(sampleUpdates(seeded(seed), 5, { w: size }), { randomBytes: seededBytes(seed) })) {
        expect(Number.isInteger(value / step)).toBe(true);
      }
    }
  });

  it("leaves integer tensors as they were, and gives running statistics noise", () => {
    const model = { w: [1], steps: [7], "bn.running_mean": [0] };
    const updates = [{ contributor: "a", weight: 1, tensors: { w: [0], steps: [100], "bn.running_mean": [0] } }];
    const strategy = dpFedAvg({ ...settings, randomBytes: seededBytes(11) });
    const after = carryOut(strategy, { base: model, updates, paramsType: "DIFF", integers: ["steps"] }).model;
    expect(after["steps"]).toEqual([7]);
    expect(after["bn.running_mean"]).not.toEqual([0]);
  });

  it("does not let numbers of samples count", () => {
    const updates = sampleUpdates(seeded(82), 3, { w: size });
    expect(changeOf(updates.map((update) => ({ ...update, weight: 1 })))).toEqual(changeOf(updates));
  });

  it("does not show its source of bytes among the settings", () => {
    expect(dpFedAvg({ ...settings, randomBytes: seededBytes(1) }).settings).toEqual(settings);
  });

  it.each([{ clipNorm: 0 }, { noiseMultiplier: 0 }, { noiseMultiplier: 1001 }, { expectedContributors: 0 }, { expectedContributors: 2.5 }])(
    "refuses %o",
    (wrong) => {
      expect(() => dpFedAvg({ ...settings, randomBytes: seededBytes(1), ...wrong })).toThrow(
        expect.objectContaining({
          code: "aggregate/strategy-invalid",
          message: expect.stringContaining(`"${Object.keys(wrong)[0]}" of dp-fed-avg is ${Object.values(wrong)[0]}; it must be`),
        }),
      );
    },
  );
});

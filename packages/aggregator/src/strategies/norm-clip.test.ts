import { describe, expect, it } from "vitest";
import { carryOut } from "./carry-out.reference.js";
import { normClip } from "./norm-clip.js";
import { clippedMean } from "./norm-clip.reference.js";
import { sampleUpdates, sampleValues, seeded } from "./sample-round.test-support.js";

describe("normClip", () => {
  it.each(["uniform", "samples"] as const)("is the mean of shortened changes, of FULL and DIFF, with %s weights", (weighting) => {
    const next = seeded(70);
    for (let round = 0; round < 20; round++) {
      const base = { w: sampleValues(next, 4), b: sampleValues(next, 2) };
      const changes = sampleUpdates(next, 6, { w: 4, b: 2 });
      const vectors = changes.map(({ tensors }) => [...(tensors["w"] ?? []), ...(tensors["b"] ?? [])]);
      const weights = changes.map(({ weight }) => (weighting === "samples" ? weight : 1));
      const expected = clippedMean(vectors, weights, 10);
      const full = changes.map((update) => ({
        ...update,
        tensors: {
          w: (update.tensors["w"] ?? []).map((value, e) => value + (base.w[e] ?? Number.NaN)),
          b: (update.tensors["b"] ?? []).map((value, e) => value + (base.b[e] ?? Number.NaN)),
        },
      }));
      for (const [paramsType, updates] of [
        ["DIFF", changes],
        ["FULL", full],
      ] as const) {
        const { model } = carryOut(normClip({ clipNorm: 10, weighting }), { base, updates, paramsType });
        const got = [...(model["w"] ?? []), ...(model["b"] ?? [])];
        for (const [e, start] of [...base.w, ...base.b].entries()) {
          // Factors are rounded to 29 bits, and every change is at most 10 long.
          expect(Math.abs((got[e] ?? Number.NaN) - start - (expected[e] ?? Number.NaN))).toBeLessThan(10 * 2 ** -28);
        }
      }
    }
  });

  it("leaves a change alone that is short enough, and drops one that is endlessly long", () => {
    const updates = [1, 1e38].map((length) => ({ contributor: `site-${length}`, weight: 3, tensors: { w: [length] } }));
    const { shares } = carryOut(normClip({ clipNorm: 1 }), { base: { w: [0] }, updates, paramsType: "DIFF" });
    expect(shares).toEqual([
      { factor: 3, weight: 3 },
      { factor: 0, weight: 3 },
    ]);
    const [zero] = carryOut(normClip({ clipNorm: 1 }), {
      base: { w: [0] },
      updates: [{ contributor: "a", weight: 3, tensors: { w: [0] } }],
      paramsType: "DIFF",
    }).shares;
    expect(zero).toEqual({ factor: 3, weight: 3 });
  });

  it("does not guess a norm that the engine did not measure", () => {
    const contributors = [{ contributor: "a", weight: 1, staleness: 0, norm: undefined }];
    expect(() => normClip({ clipNorm: 1 }).weigh?.({ contributors, squaredDistances: undefined })).toThrow(
      expect.objectContaining({ code: "internal/bug" }),
    );
  });

  it.each([0, -1, 1e10, Number.NaN])("refuses a norm of %s", (clipNorm) => {
    expect(() => normClip({ clipNorm })).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        message: `Setting "clipNorm" of norm-clip is ${clipNorm}; it must be a number of at least 1e-9 and at most 1000000000.`,
      }),
    );
  });
});

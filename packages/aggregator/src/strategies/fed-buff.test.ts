import { describe, expect, it } from "vitest";
import { carryOut } from "./carry-out.reference.js";
import { fedBuff } from "./fed-buff.js";
import { bufferedStep } from "./fed-buff.reference.js";
import { sampleUpdates, seeded } from "./sample-round.test-support.js";

describe("fedBuff", () => {
  it.each([
    { learningRate: 1, stalenessExponent: 0.5 },
    { learningRate: 0.3, stalenessExponent: 1 },
    { learningRate: 2, stalenessExponent: 0 },
  ])("is Algorithm 1 with %o, each update counting as 1 in the divisor", (settings) => {
    const next = seeded(11);
    for (let round = 0; round < 20; round++) {
      const updates = sampleUpdates(next, 1 + Math.floor(next() * 10), { w: 1 });
      const { model } = carryOut(fedBuff(settings), { base: { w: [0.5] }, updates, paramsType: "DIFF" });
      const buffer = updates.map(({ staleness = 0, tensors }) => ({ staleness, delta: tensors["w"]?.[0] ?? Number.NaN }));
      const expected = bufferedStep(0.5, buffer, { rate: settings.learningRate, exponent: settings.stalenessExponent });
      // Factors are rounded to 29 bits.
      const largest = Math.max(...buffer.map(({ delta }) => Math.abs(delta)), 1);
      expect(Math.abs((model["w"]?.[0] ?? Number.NaN) - expected)).toBeLessThanOrEqual(2 ** -28 * settings.learningRate * largest);
    }
  });

  it("uses 1/√(1 + τ) unless told otherwise, and takes nothing off the divisor", () => {
    const updates = [0, 3].map((staleness) => ({ contributor: `site-${staleness}`, weight: 7, staleness, tensors: { w: [1] } }));
    expect(carryOut(fedBuff(), { base: { w: [0] }, updates, paramsType: "DIFF" }).shares).toEqual([
      { factor: 1, weight: 1 },
      { factor: 0.5, weight: 1 },
    ]);
    expect(carryOut(fedBuff({ weighting: "samples" }), { base: { w: [0] }, updates, paramsType: "DIFF" }).shares).toEqual([
      { factor: 7, weight: 7 },
      { factor: 3.5, weight: 7 },
    ]);
  });

  it("asks for differences", () => {
    expect(fedBuff().needs).toEqual({ paramsType: "DIFF" });
  });

  it.each([{ stalenessExponent: -1 }, { stalenessExponent: 11 }, { learningRate: 0 }, { learningRate: 1001 }])("refuses %o", (settings) => {
    expect(() => fedBuff(settings)).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        message: expect.stringContaining(`"${Object.keys(settings)[0]}" of fed-buff is ${Object.values(settings)[0]}; it must be a number`),
      }),
    );
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distance, exactMean, rationalOf } from "../fed-avg.reference.js";
import { carryOut } from "./carry-out.reference.js";
import { sampleUpdates, seeded } from "./sample-round.test-support.js";
import { type TrimmedMeanSettings, trimmedCount, trimmedMean, trimmedMeanOf } from "./trimmed-mean.js";
import { plainTrimmedMean } from "./trimmed-mean.reference.js";

const float32 = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.constantFrom(0, -0, 2 ** -149, -(2 ** -149), 3.4028234663852886e38, -3.4028234663852886e38),
);
const cases = fc
  .array(float32, { minLength: 1, maxLength: 60 })
  .chain((values) => fc.record({ values: fc.constant(values), cut: fc.integer({ min: 0, max: (values.length - 1) >> 1 }) }));

function trimmed(values: readonly number[], cut: number): number {
  const into = new Float32Array(1);
  trimmedMeanOf(
    values.map((value) => Float64Array.of(value)),
    cut,
    into,
  );
  return into[0] ?? Number.NaN;
}

describe("trimmedMeanOf", () => {
  it("has the bits of the reference, in any order of contributors", () => {
    fc.assert(
      fc.property(cases, ({ values, cut }) => {
        const expected = plainTrimmedMean(values, cut);
        expect(trimmed(values, cut)).toBe(expected);
        expect(trimmed(values.toReversed(), cut)).toBe(expected);
      }),
      { numRuns: 1500 },
    );
  });

  it("is off the exact mean of what is left by half a unit of float32 and the roundings of the sum", () => {
    fc.assert(
      fc.property(cases, ({ values, cut }) => {
        const left = [...values].sort((a, b) => a - b).slice(cut, values.length - cut);
        const result = trimmed(values, cut);
        const exact = exactMean(
          left,
          left.map(() => 1),
        );
        const sizes = left.reduce((sum, value) => sum + Math.abs(value), 0);
        const bound = 2 ** -24 * Math.abs(result) * (1 + 2 ** -20) + 2 ** -150 + left.length * 2 ** -53 * sizes;
        expect(distance(rationalOf(result), exact)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("is +0 where it is zero or rounds to it", () => {
    expect([trimmed([-0, -0], 0), trimmed([0, -0, -(2 ** -149)], 0), trimmed([1, -1], 0), trimmed([-5, -0, 5], 1)]).toEqual([0, 0, 0, 0]);
  });
});

describe("trimmedCount", () => {
  it("rounds down, except where only the product's rounding makes it less than a whole number", () => {
    expect([trimmedCount(0.2, 5), trimmedCount(0.2, 4), trimmedCount(0.29, 100), trimmedCount(0.1, 30), trimmedCount(0, 9)]).toEqual([
      1, 0, 29, 3, 0,
    ]);
  });

  it("leaves a value for every fraction below one half", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.5, maxExcluded: true, noNaN: true }), fc.integer({ min: 1, max: 4096 }), (fraction, count) => {
        expect(count - 2 * trimmedCount(fraction, count)).toBeGreaterThanOrEqual(1);
      }),
    );
    expect(trimmedCount(0.5 - 2 ** -54, 4096)).toBe(2047);
  });
});

describe("trimmedMean", () => {
  it("cuts the fraction off of every element, whatever weights say", () => {
    const updates = sampleUpdates(seeded(31), 10, { w: 6 });
    const { model } = carryOut(trimmedMean({ fraction: 0.2 }), { base: { w: Array(6).fill(0) }, updates, paramsType: "FULL" });
    for (let e = 0; e < 6; e++) {
      const values = updates.map(({ tensors }) => tensors["w"]?.[e] ?? Number.NaN);
      expect(Math.fround(model["w"]?.[e] ?? Number.NaN)).toBe(trimmed(values, 2));
    }
  });

  it.each([-0.1, 0.5, Number.NaN, undefined])("refuses a fraction of %s", (fraction) => {
    expect(() => trimmedMean({ fraction } as TrimmedMeanSettings)).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        message: expect.stringMatching(/^Setting "fraction" of trimmed-mean is .*; it must be a number of at least 0 and below 0\.5\.$/),
      }),
    );
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactWeight, exponentAbove, totalWeight, weightRange } from "./weight.js";

describe("exactWeight", () => {
  it("keeps numbers of samples below 2^29 as they are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 29 }), (samples) => {
        expect(exactWeight(samples, "a")).toBe(samples);
      }),
    );
  });

  it("rounds other numbers to 29 significant bits, by at most half a unit of them", () => {
    fc.assert(
      fc.property(fc.double({ min: weightRange.least, max: weightRange.most, noNaN: true }), (weight) => {
        const exact = exactWeight(weight, "a");
        const unit = 2 ** (exponentAbove(weight) - 29);
        expect(Number.isInteger(exact / unit)).toBe(true);
        expect(Math.abs(exact - weight)).toBeLessThanOrEqual(unit / 2);
      }),
    );
    expect(exactWeight(2 ** 29 + 1, "a")).toBe(2 ** 29);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-40, 1e40, undefined, null, "5"])(
    "refuses %s and names the contributor",
    (weight) => {
      expect(() => exactWeight(weight as number, "hospital-1")).toThrow(
        expect.objectContaining({ code: "aggregate/weight-invalid", facts: expect.objectContaining({ contributor: "hospital-1" }) }),
      );
    },
  );

  it.each([
    [0, "is 0; it must be above 0,"],
    [1e308, "is 1e+308; it must be from 2^-100 to 2^100,"],
  ])("says of %s what a weight may be", (weight, text) => {
    expect(() => exactWeight(weight, "hospital-1")).toThrow(text);
  });
});

describe("totalWeight", () => {
  it("does not depend on the order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), { minLength: 1 }), (weights) => {
        expect(totalWeight(weights.toReversed())).toBe(totalWeight(weights));
      }),
    );
  });
});

describe("exponentAbove", () => {
  it("is the smallest power of two above the value", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (value) => {
        const exponent = exponentAbove(value);
        expect(value).toBeLessThan(2 ** exponent);
        expect(value).toBeGreaterThanOrEqual(2 ** (exponent - 1));
      }),
    );
    expect([1, 0.5, 2, 2 ** -149].map(exponentAbove)).toEqual([1, 0, 2, -148]);
  });
});

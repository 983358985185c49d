import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactFactors } from "./exact-factors.js";

describe("factors for exact sums", () => {
  it("are the same number, of 29 bits or 0", () => {
    const factor = fc
      .tuple(fc.integer({ min: 1 - 2 ** 29, max: 2 ** 29 - 1 }), fc.integer({ min: -150, max: 150 }))
      .map(([digits, exponent]) => digits * 2 ** exponent);
    fc.assert(
      fc.property(factor, (value) => {
        const [word = 0, exponent = 0] = exactFactors([value]);
        const digits = word & 0x7fffffff;
        expect((word < 0 ? -1 : 1) * digits * 2 ** exponent).toBe(value + 0);
        expect(digits === 0 || (digits >= 2 ** 28 && digits < 2 ** 29)).toBe(true);
      }),
    );
  });

  it.each([2 ** 29 + 1, 1 / 3, Number.NaN, Number.POSITIVE_INFINITY])("refuses %s", (value) => {
    expect(() => exactFactors([1, value])).toThrow(RangeError);
  });
});

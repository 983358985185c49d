import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distance, exactMean, rationalOf, ruleMean } from "../fed-avg.reference.js";
import { gridFor, isOnGrid } from "./exact-scale.js";
import { foldFloat32, foldFloat64, meansOf } from "./limb-sums.js";

const weight = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const terms = fc.array(fc.record({ weight, value: fc.oneof(float, fc.float({ min: -1, max: 1, noNaN: true })) }), {
  minLength: 1,
  maxLength: 20,
});

function mean(list: readonly { weight: number; value: number }[], gridBits: number): number {
  const sums = { high: new Float64Array(1), low: new Float64Array(1) };
  for (const { weight: w, value } of list) foldFloat32(sums, 0, Float32Array.of(value), w, gridBits);
  const into = new Float64Array(1);
  meansOf(
    sums,
    0,
    list.reduce((sum, { weight: w }) => sum + w, 0),
    into,
  );
  return into[0] ?? Number.NaN;
}

function gridOf(list: readonly { weight: number; value: number }[]): number {
  return gridFor(Math.max(...list.map(({ weight: w, value }) => Math.abs(w * value))));
}

describe("sums in two limbs", () => {
  it("are what the rule gives in whole numbers, bit by bit", () => {
    fc.assert(
      fc.property(terms, (list) => {
        const gridBits = gridOf(list);
        const values = list.map(({ value }) => value);
        const weights = list.map(({ weight: w }) => w);
        expect(mean(list, gridBits)).toBe(ruleMean(values, weights, gridBits) + 0);
      }),
      { numRuns: 3000 },
    );
  });

  it("have the same bits in any order", () => {
    fc.assert(
      fc.property(
        terms.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(mean(shuffled, gridOf(list))).toBe(mean(list, gridOf(list)));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("err by at most half a unit of float32 and half a grid step a term", () => {
    fc.assert(
      fc.property(terms, (list) => {
        const gridBits = gridOf(list);
        const weights = list.map(({ weight: w }) => w);
        const exact = exactMean(
          list.map(({ value }) => value),
          weights,
        );
        const got = Math.fround(mean(list, gridBits));
        const halfUnit = Math.max(2 ** -150, Math.abs(got) * 2 ** -24);
        const grid = (list.length * 2 ** -(gridBits + 1)) / weights.reduce((a, b) => a + b, 0);
        expect(distance(rationalOf(got), exact)).toBeLessThanOrEqual((halfUnit + grid) * (1 + 2 ** -20));
      }),
      { numRuns: 3000 },
    );
  });

  it("hold 4096 terms at the very edge of the grid without a wrong bit", () => {
    const edge = 2 ** 51 - 1;
    for (const sign of [1, -1]) {
      const sums = { high: new Float64Array(1), low: new Float64Array(1) };
      for (let i = 0; i < 4096; i++) foldFloat64(sums, 0, Float64Array.of(sign * edge), 1, 0);
      const sum = BigInt(sums.high[0] ?? 0) + BigInt(sums.low[0] ?? 0);
      expect(sum).toBe(BigInt(sign * edge) * 4096n);
    }
  });
});

describe("the grid", () => {
  it("is the finest that the largest term fits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-150, max: 1e150, noNaN: true }), (largest) => {
        const gridBits = gridFor(largest);
        expect(largest).toBeLessThan(2 ** (51 - gridBits));
        expect(largest).toBeGreaterThanOrEqual(2 ** (50 - gridBits));
      }),
    );
  });

  it("takes terms that are below 2^51 of its steps once they are rounded, where it is announced", () => {
    for (const gridBits of [-40, 0, 28, 900]) {
      const step = 2 ** -gridBits;
      expect(isOnGrid((2 ** 51 - 0.75) * step, gridBits)).toBe(true);
      expect(isOnGrid((2 ** 51 - 0.5) * step, gridBits)).toBe(false);
    }
  });
});

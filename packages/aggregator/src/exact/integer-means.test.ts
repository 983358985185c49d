import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactMean } from "../fed-avg.reference.js";
import { divideRounded, IntegerSums } from "./integer-means.js";
import { exactWeight } from "./weight.js";

function meanOf(list: readonly (readonly [value: number, weight: number])[], largest: number): bigint {
  const sums = new IntegerSums(
    1,
    list.map(([, weight]) => weight),
    largest,
  );
  for (const [value, weight] of list) sums.add(Int32Array.of(value), weight);
  return sums.mean(0);
}

const value = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe("means of integers", () => {
  it("are the exact mean rounded, ties to even, for whole and broken weights", () => {
    const weight = fc.oneof(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 2 ** 29 }),
      fc.double({ min: 1e-20, max: 1e20, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, weight), { minLength: 1, maxLength: 10 }), (given) => {
        const list = given.map(([v, w]) => [v, exactWeight(w, "a")] as const);
        const { over, under } = exactMean(
          list.map(([v]) => v),
          list.map(([, w]) => w),
        );
        expect(meanOf(list, 2 ** 31)).toBe(divideRounded(over, under));
      }),
    );
  });

  it("are the same on the fast and on the slow way", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -128, max: 127 }), fc.integer({ min: 1, max: 10_000 })), { minLength: 1 }),
        (list) => {
          expect(meanOf(list, 128)).toBe(meanOf(list, Number.POSITIVE_INFINITY));
        },
      ),
    );
  });

  it("are exact for 64 bits", () => {
    const sums = new IntegerSums(1, [3, 1], Number.POSITIVE_INFINITY);
    sums.add(BigInt64Array.of(2n ** 63n - 1n), 3);
    sums.add(BigInt64Array.of(2n ** 63n - 5n), 1);
    expect(sums.mean(0)).toBe(2n ** 63n - 2n);
  });

  it.each([
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [-7n, 2n, -4n],
    [1n, 3n, 0n],
    [-2n, 3n, -1n],
  ])("%s / %s rounds to %s", (over, under, wanted) => {
    expect(divideRounded(over, under)).toBe(wanted);
  });
});

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { mannWhitney } from "./mann-whitney.ts";

/** The definition: all ways to deal the ranks out, and the share of those that are at least as uneven. */
function reference(a: readonly number[], b: readonly number[]): number {
  const uneven = (isFirst: readonly boolean[]): number => {
    let u = 0;
    for (const [i, first] of isFirst.entries()) if (first) u += isFirst.slice(0, i).filter((other) => !other).length;
    return Math.abs(u - (a.length * b.length) / 2);
  };
  const ranked = [...a.map((value) => ({ value, first: true })), ...b.map((value) => ({ value, first: false }))].sort((x, y) => x.value - y.value);
  const observed = uneven(ranked.map(({ first }) => first));
  const ways: boolean[][] = [[]];
  for (let i = 0; i < ranked.length; i++) ways.push(...ways.splice(0).flatMap((way) => [[...way, true], [...way, false]]));
  const fair = ways.filter((way) => way.filter(Boolean).length === a.length);
  return fair.filter((way) => uneven(way) >= observed).length / fair.length;
}

it("is the share of all ways to mix the values that lie as far apart", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.integer({ min: 0, max: 1e9 })), (n, m, stream) => {
      const values = new Set<number>();
      for (const value of stream) if (values.add(value).size === n + m) break;
      const [a, b] = [[...values].slice(0, n), [...values].slice(n)];
      expect(mannWhitney(a, b)).toBeCloseTo(reference(a, b), 12);
      expect(mannWhitney(b, a)).toBeCloseTo(mannWhitney(a, b), 12);
    }),
    { numRuns: 60 },
  );
});

it("is below 1% for five runs against five only when all of one are above all of the other", () => {
  expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
  expect(mannWhitney([1, 2, 3, 4, 6], [5, 7, 8, 9, 10])).toBeCloseTo(4 / 252, 12);
});

it("says nothing about equal values, and little about ties", () => {
  expect(mannWhitney([1, 1, 1], [1, 1, 1])).toBe(1);
  // SciPy: mannwhitneyu([1, 2, 2, 3, 4], [3, 4, 5, 5, 6], method="asymptotic")
  expect(mannWhitney([1, 2, 2, 3, 4], [3, 4, 5, 5, 6])).toBeCloseTo(0.034453637, 6);
});

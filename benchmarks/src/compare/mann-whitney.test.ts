import * as fc from "fast-check";
import { expect, it } from "vitest";
import { mannWhitney } from "./mann-whitney.ts";

/** The definition: all ways to deal the values out, and the share of those that are at least as uneven. */
function reference(a: readonly number[], b: readonly number[]): number {
  const uneven = (first: readonly number[], second: readonly number[]): number => {
    const u = first.reduce((sum, x) => sum + second.reduce((inner, y) => inner + (y < x ? 1 : y === x ? 0.5 : 0), 0), 0);
    return Math.abs(u - (first.length * second.length) / 2);
  };
  const values = [...a, ...b];
  const observed = uneven(a, b);
  let [fair, asUneven] = [0, 0];
  for (let way = 0; way < 2 ** values.length; way++) {
    const first = values.filter((_, i) => (way >> i) & 1);
    if (first.length !== a.length) continue;
    fair += 1;
    if (
      uneven(
        first,
        values.filter((_, i) => !((way >> i) & 1)),
      ) >= observed
    )
      asUneven += 1;
  }
  return asUneven / fair;
}

// Few values, so that some are equal, and many, so that none is.
it.each([4, 1e9])("is the share of all ways to mix the values that lie as far apart (of %d)", (most) => {
  const sample = fc.array(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sample, sample, (a, b) => {
      expect(mannWhitney(a, b)).toBeCloseTo(reference(a, b), 12);
      expect(mannWhitney(b, a)).toBeCloseTo(mannWhitney(a, b), 12);
    }),
    { numRuns: 60 },
  );
});

it("is below 1% for five runs against five only when all of one are above all of the other", () => {
  expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
  expect(mannWhitney([1, 2, 3, 4, 6], [5, 7, 8, 9, 10])).toBeCloseTo(4 / 252, 12);
  expect(mannWhitney([1, 1, 1, 1, 2], [3, 3, 4, 4, 4])).toBeCloseTo(2 / 252, 12);
});

it("of many values is that of the normal approximation", () => {
  // SciPy 1: mannwhitneyu(a, b, method="asymptotic"); the second has equal values.
  const a = Array.from({ length: 25 }, (_, i) => 2 * i);
  expect(
    mannWhitney(
      a,
      a.map((value) => value + 9),
    ),
  ).toBeCloseTo(0.0478058, 6);
  expect(
    mannWhitney(
      a,
      a.map((value) => value + 10),
    ),
  ).toBeCloseTo(0.0296929, 6);
  expect(mannWhitney(a, a)).toBe(1);
});

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { errorOf, exactLowerMedian, exactMean, exactMedian, exactTrimmedMean, unitsOf } from "./exact-value.ts";
import { largestError } from "./largest-error.ts";

const exactly = (value: number): { readonly over: bigint; readonly under: bigint } => ({ over: unitsOf(value), under: 1n });

it("tells every float64 from every other", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true }), (a, b) => {
      expect(unitsOf(a) < unitsOf(b)).toBe(a < b);
      expect(errorOf(a, exactly(a))).toBe(0);
    }),
  );
});

it("measures a distance that float64 can hold without loss", () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (a, b) => {
      expect(errorOf(a / 1024, exactly(b / 1024))).toBe(Math.abs(a - b) / 1024);
    }),
  );
  expect(errorOf(Number.MIN_VALUE, exactly(0))).toBe(Number.MIN_VALUE);
  expect(errorOf(1e300, exactly(-1e300))).toBe(2e300);
});

it("finds the rounding that float64 makes of 0.1 + 0.2", () => {
  const exact = exactMean([0.1, 0.2], [1, 1]);
  expect(errorOf((0.1 + 0.2) / 2, exact)).toBe(2 ** -56);
  expect(errorOf(0.15, exact)).toBe(2 ** -56);
});

it("weighs, sorts and cuts without rounding", () => {
  const value = ({ over, under }: { readonly over: bigint; readonly under: bigint }): number => errorOf(0, { over, under });
  expect(value(exactMean([1, 2], [1, 3]))).toBe(1.75);
  expect(value(exactMedian([5, 1, 4], []))).toBe(4);
  expect(value(exactMedian([5, 1, 4, 2], []))).toBe(3);
  expect(value(exactLowerMedian([5, 1, 4, 2], []))).toBe(2);
  expect(value(exactTrimmedMean(1)([100, 3, 1, 2], []))).toBe(2.5);
  expect(value(exactTrimmedMean(0)([1, 2], []))).toBe(1.5);
});

it("names the largest error, absolute and in shares of what went in", () => {
  const inputs = [
    [1, 8],
    [1, -8],
  ];
  expect(largestError([1.25, 0.5], inputs, [1, 1], exactMean)).toEqual({ absolute: 0.5, relative: 0.25, elements: 2 });
});

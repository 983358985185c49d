import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { carryOut } from "./carry-out.reference.js";
import { coordinateMedian, medianOf } from "./median.js";
import { exactMedian, nearestFloat32 } from "./median.reference.js";
import { sampleUpdates, sampleValues, seeded } from "./sample-round.test-support.js";

const float32 = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.constantFrom(0, -0, 2 ** -149, -(2 ** -149), 3.4028234663852886e38, -3.4028234663852886e38),
);

function middle(values: readonly number[]): number {
  const into = new Float32Array(1);
  medianOf(
    values.map((value) => Float64Array.of(value)),
    into,
  );
  return into[0] ?? Number.NaN;
}

describe("medianOf", () => {
  it("is the exact middle, rounded once to float32, for any finite float32", () => {
    fc.assert(
      fc.property(fc.array(float32, { minLength: 1, maxLength: 70 }), (values) => {
        expect(middle(values)).toBe(nearestFloat32(exactMedian(values)));
      }),
      { numRuns: 1500 },
    );
  });

  it("has the same bits for two values in float32 alone, by the rule that the documentation gives", () => {
    fc.assert(
      fc.property(float32, float32, (a, b) => {
        const sum = Math.fround(a + b);
        const half = (value: number): number => Math.fround(value * 0.5);
        const narrow = Math.abs(sum) === Number.POSITIVE_INFINITY ? Math.fround(half(a) + half(b)) : half(sum);
        expect(middle([a, b])).toBe(narrow + 0);
      }),
      { numRuns: 3000 },
    );
  });

  it("does not depend on the order of contributors, signs of zero included", () => {
    fc.assert(
      fc.property(fc.array(float32, { minLength: 1, maxLength: 60 }), (values) => {
        expect(middle(values.toReversed())).toBe(middle(values));
      }),
    );
    expect([middle([-0]), middle([-0, 0]), middle([0, -0, -0]), middle([-(2 ** -149), 0])]).toEqual([0, 0, 0, 0]);
  });

  it("takes each element by itself, of arrays of either width", () => {
    const values = [Float32Array.of(1, 5, -1), Float64Array.of(2, 4, -2), Float64Array.of(9, 0, -3)];
    const into = new Float64Array(3);
    medianOf(values, into);
    expect([...into]).toEqual([2, 4, -2]);
  });

  it("does not overflow for float64", () => {
    const into = new Float64Array(1);
    medianOf([Float64Array.of(Number.MAX_VALUE), Float64Array.of(Number.MAX_VALUE)], into);
    expect(into[0]).toBe(Number.MAX_VALUE);
  });
});

describe("coordinateMedian", () => {
  it("is what the twin gives, and stays among the honest values whatever a minority sends", () => {
    const next = seeded(21);
    const honest = sampleUpdates(next, 5, { w: 8 });
    const hostile = Array.from({ length: 4 }, (_, i) => ({ contributor: `x-${i}`, weight: 1e6, tensors: { w: Array(8).fill(1e30) } }));
    const updates = [...honest, ...hostile];
    const { model } = carryOut(coordinateMedian(), { base: { w: sampleValues(next, 8) }, updates, paramsType: "FULL" });
    const into = new Float64Array(8);
    medianOf(
      updates.map(({ tensors }) => Float64Array.from(tensors["w"] ?? [])),
      into,
    );
    for (const [e, value] of (model["w"] ?? []).entries()) {
      // The reference goes by way of the difference from the base, which rounds.
      expect(Math.abs(value - (into[e] ?? Number.NaN))).toBeLessThan(1e-12);
      expect(into[e]).toBeLessThanOrEqual(Math.max(...honest.map(({ tensors }) => tensors["w"]?.[e] ?? Number.NaN)));
    }
  });
});

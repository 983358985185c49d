import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { distancesTileBytes } from "./distances-kernels.js";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

/** How far the values of an update lie from a common model, and how much they differ. */
const update = fc.record({
  offset: fc.constantFrom(0, 0, 0, 0, 1, 1e6, 1e30, -3e38),
  spread: fc.constantFrom(0, 1e-4, 1e-4, 1, 1, 1e-25, 1e18),
  seed: fc.integer({ min: 0, max: 3 }),
});

function valuesOf(
  { offset, spread, seed }: { offset: number; spread: number; seed: number },
  count: number,
  isNear: boolean,
): Float32Array {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  return Float32Array.from({ length: count }, (_, k) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (isNear ? Math.sin(k) : 0) + offset + (spread * state) / 2 ** 32;
  });
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, k) => sum + (value - (b[k] ?? 0)) ** 2, 0);
}

describe("squared distances", () => {
  it("are within 2^-9 of those in float64, between any updates: near ones, equal ones, and with one far off that others are compared with", () => {
    fc.assert(
      fc.property(
        fc.array(update, { minLength: 1, maxLength: 13 }),
        fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 580, max: 1300 })),
        fc.integer({ min: 0, max: 9 }),
        fc.boolean(),
        (updates, count, skew, isNear) => {
          const n = updates.length;
          const values = updates.map((each) => valuesOf(each, count, isNear));
          for (const kernels of forms) {
            const inputs = kernels.put(Uint32Array.from(values.map((each, i) => kernels.put(each, (skew * i) % 13))));
            const at = kernels.put(new Float64Array(n * n).fill(1));
            // A second call adds to what is there, less than a rounding of it where distances are small.
            const sums = kernels.put(new Float64Array(n * n));
            const tile = kernels.room(distancesTileBytes(n));
            kernels.call("addDistancesF32", n, inputs, count, at, tile);
            kernels.call("addDistancesF32", n, inputs, count, sums, tile);
            const distances = new Float64Array(kernels.bytes(sums, 8 * n * n));
            const added = new Float64Array(kernels.bytes(at, 8 * n * n));
            for (let i = 0; i < n; i++) {
              for (let j = 0; j < n; j++) {
                const expected = j < i ? distance(values[i] ?? new Float32Array(), values[j] ?? new Float32Array()) : 0;
                const measured = distances[i * n + j] ?? Number.NaN;
                expect(Math.abs(measured - expected), `${kernels.form} ${i} ${j}`).toBeLessThanOrEqual(2 ** -9 * expected);
                expect(added[i * n + j]).toBeCloseTo(1 + measured, 8);
              }
            }
            kernels.reset();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("of equal updates are zero, and those of many are all measured", () => {
    const count = 400;
    const one = valuesOf({ offset: 0, spread: 1, seed: 1 }, count, true);
    const other = valuesOf({ offset: 0, spread: 1, seed: 2 }, count, true);
    const values = Array.from({ length: 67 }, (_, i) => (i % 2 === 0 ? one : other));
    const far = distance(one, other);
    for (const kernels of forms) {
      const inputs = kernels.put(Uint32Array.from(values.map((each) => kernels.put(each))));
      const at = kernels.put(new Float64Array(67 * 67));
      kernels.call("addDistancesF32", 67, inputs, count, at, kernels.room(distancesTileBytes(67)));
      const distances = new Float64Array(kernels.bytes(at, 8 * 67 * 67));
      const wrong = distances.filter((measured, k) => {
        const [i, j] = [Math.floor(k / 67), k % 67];
        return j >= i || (i - j) % 2 === 0 ? measured !== 0 : Math.abs(measured - far) > 2 ** -9 * far;
      });
      expect([...wrong]).toEqual([]);
      kernels.reset();
    }
  });
});

describe("the squared distance to one", () => {
  it("is added to what is there, in float64", () => {
    fc.assert(
      fc.property(update, update, fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 9 }), (a, b, count, skew) => {
        const values = [valuesOf(a, count, true), valuesOf(b, count, true)] as const;
        const expected = distance(...values);
        for (const kernels of forms) {
          for (const type of ["F32", "F64"] as const) {
            const [x, y] = values.map((each) => kernels.put(type === "F32" ? each : Float64Array.from(each), skew));
            const result = kernels.put(new Float64Array(1));
            kernels.call(`addDifferenceSquares${type}`, x ?? 0, y ?? 0, count, result);
            kernels.call(`addDifferenceSquares${type}`, x ?? 0, y ?? 0, count, result);
            const [sum = Number.NaN] = new Float64Array(kernels.bytes(result, 8));
            expect(Math.abs(sum - 2 * expected)).toBeLessThanOrEqual(2 ** -44 * expected);
          }
          kernels.reset();
        }
      }),
      { numRuns: 60 },
    );
  });
});

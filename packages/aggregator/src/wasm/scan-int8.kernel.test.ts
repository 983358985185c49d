import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

/** Scales of few significant bits, of all bits, and such whose products lose bits or are not finite. */
const scale = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.integer({ min: -4095, max: 4095 }), fc.integer({ min: -30, max: -20 })).map(([of, power]) => of * 2 ** power),
  },
  { weight: 4, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 2 ** -149, 2 ** -101, 2 ** 127, Number.POSITIVE_INFINITY, Number.NaN) },
);

const update = fc.record({ seed: fc.nat(), some: fc.array(scale, { minLength: 1, maxLength: 5 }) });

describe("a scan of int8 as it is stored", () => {
  it("finds what a scan of the decoded elements finds: the largest magnitude, the sum of squares, and whether all are finite", () => {
    fc.assert(
      fc.property(
        fc.array(update, { maxLength: 4 }),
        fc.integer({ min: 0, max: 600 }),
        fc.constantFrom(32, 64, 256, 4096),
        fc.integer({ min: 0, max: 9 }),
        (updates, count, block, skew) => {
          for (const kernels of forms) {
            const elements = updates.map(({ seed }) => Int8Array.from({ length: count }, (_, k) => Math.imul(k + seed, 37) >> (seed % 7)));
            const scales = updates.map(({ some }) => Float32Array.from({ length: 20 }, (_, b) => some[b % some.length] ?? 0));
            const rawAt = elements.map((each) => kernels.put(each, skew));
            const scaleAt = scales.map((each) => kernels.put(each, skew % 5));
            const decodedAt = rawAt.map((at, i) => {
              const out = kernels.room(4 * count);
              kernels.call("decodeInt8", at, scaleAt[i] ?? 0, block, 0, count, out);
              return out;
            });
            const n = updates.length;
            const [raw = 0, scaled = 0, decoded = 0] = [rawAt, scaleAt, decodedAt].map((each) => kernels.put(Uint32Array.from(each)));
            const [results, expected] = [kernels.room(24 * n), kernels.room(24 * n)];
            kernels.call("scanAllInt8", n, raw, count, results, 24, scaled, block);
            kernels.call("scanAllF32", n, decoded, count, expected, 24);
            const found = new Float64Array(kernels.bytes(results, 24 * n));
            const known = new Float64Array(kernels.bytes(expected, 24 * n));
            for (let i = 0; i < n; i++) {
              const [largest = 0, squares = 0] = known.subarray(3 * i);
              const [largestFound = 0, squaresFound = 0] = found.subarray(3 * i);
              expect(Number.isFinite(squaresFound), `${kernels.form} ${i}`).toBe(Number.isFinite(squares));
              if (!Number.isFinite(squares)) continue;
              expect(largestFound).toBe(largest);
              expect(Math.abs(squaresFound - squares)).toBeLessThanOrEqual((count + 4) * 2 ** -52 * squares);
            }
            kernels.reset();
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

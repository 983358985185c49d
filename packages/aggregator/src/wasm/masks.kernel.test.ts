import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

const word = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n, -1n));
const words = fc.record({
  pairs: fc.array(fc.tuple(word, word), { maxLength: 40 }),
  skew: fc.constantFrom(0, 8),
});

describe("masks", () => {
  it("are taken away and added again modulo 2^64", () => {
    fc.assert(
      fc.property(words, ({ pairs, skew }) => {
        for (const kernels of forms) {
          const sums = kernels.put(
            BigInt64Array.from(pairs, ([sum]) => sum),
            skew,
          );
          const mask = kernels.put(BigInt64Array.from(pairs, ([, each]) => each));
          kernels.call("subtractSteps", sums, mask, pairs.length);
          const differences = pairs.map(([sum, each]) => BigInt.asIntN(64, sum - each));
          expect(new BigInt64Array(kernels.bytes(sums, 8 * pairs.length))).toEqual(BigInt64Array.from(differences));
          kernels.call("addSteps", sums, mask, pairs.length);
          expect(new BigInt64Array(kernels.bytes(sums, 8 * pairs.length))).toEqual(BigInt64Array.from(pairs, ([sum]) => sum));
          kernels.reset();
        }
      }),
    );
  });
});

describe("a check of sums", () => {
  it("finds one that is beyond a magnitude, wherever it is, and none that is not", () => {
    const magnitude = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        words,
        magnitude,
        fc.nat(39),
        fc.constantFrom(1n, -1n),
        fc.constantFrom(0n, 1n),
        ({ pairs, skew }, most, at, sign, over) => {
          const held = pairs.map(([sum]) => (sum < 0n ? -1n : 1n) * ((sum < 0n ? -(sum + 1n) : sum) % (most + 1n)));
          if (at < held.length) held[at] = BigInt.asIntN(64, sign * (most + over));
          const isBeyond = held.some((sum) => sum > most || sum < -most);
          for (const kernels of forms) {
            const flag = kernels.room(4);
            const args = [kernels.put(BigInt64Array.from(held), skew), held.length, kernels.put(BigInt64Array.of(most)), flag] as const;
            kernels.call("checkSteps", ...args);
            expect(new Uint32Array(kernels.bytes(flag, 4))[0]).toBe(Number(isBeyond));
            kernels.reset();
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

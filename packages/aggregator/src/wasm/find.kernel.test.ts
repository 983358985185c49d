import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

const skews = fc.integer({ min: 0, max: 17 });

describe("the first element that is not finite", () => {
  it.each([
    ["F32", Uint32Array, [0x7f7fffff, 0xff7fffff, 0, 0x80000001], [0x7f800000, 0xff800000, 0x7fc00001]],
    ["Bf16", Uint16Array, [0x7f7f, 0xff7f, 0, 0x8001], [0x7f80, 0xff80, 0x7fc1]],
    ["F16", Uint16Array, [0x7bff, 0xfbff, 0, 0x8001], [0x7c00, 0xfc00, 0x7e01]],
    ["F64", BigUint64Array, [0x7fefffffffffffffn, 0n, 1n], [0x7ff0000000000000n, 0xfff8000000000001n]],
  ] as const)("of %s is found, and none where all are finite", (type, Bits, finite, others) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), fc.array(fc.nat({ max: 80 }), { maxLength: 3 }), skews, (count, places, skew) => {
        const bits = Array.from(
          { length: count },
          (_, i): number | bigint => (places.includes(i) ? others[i % others.length] : finite[i % finite.length]) ?? 0,
        );
        const values = new Bits(bits as never);
        const expected = Math.min(...places.filter((place) => place < count));
        for (const kernels of forms) {
          const result = kernels.room(4);
          kernels.call(`firstNotFinite${type}`, kernels.put(values, skew), count, result);
          expect(new Int32Array(kernels.bytes(result, 4))[0]).toBe(Number.isFinite(expected) ? expected : -1);
          kernels.reset();
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("the largest magnitude", () => {
  it.each([
    ["I32", Int32Array],
    ["I16", Int16Array],
    ["I8", Int8Array],
    ["U8", Uint8Array],
  ] as const)("of %s is that of all elements, also of the least number of the type", (type, Integers) => {
    const bound = 2 ** (8 * Integers.BYTES_PER_ELEMENT - 1);
    const number = fc.oneof(fc.integer({ min: -bound, max: 2 * bound - 1 }), fc.integer({ min: -3, max: 3 }), fc.constant(-bound));
    fc.assert(
      fc.property(fc.array(number, { maxLength: 90 }), skews, (some, skew) => {
        const values = Integers.from(some);
        const expected = Math.max(0, ...Array.from(values, (value) => Math.abs(value)));
        for (const kernels of forms) {
          const result = kernels.room(8);
          kernels.call(`largest${type}`, kernels.put(values, skew), values.length, result);
          expect(new Float64Array(kernels.bytes(result, 8))[0]).toBe(expected);
          kernels.reset();
        }
      }),
      { numRuns: 100 },
    );
  });
});

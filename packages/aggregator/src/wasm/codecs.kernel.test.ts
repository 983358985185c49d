import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeBf16, decodeF16 } from "../half-floats.js";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

/** Bits of float32, all NaN alike, since their other bits differ from processor to processor, and zeros too. */
function bitsOf(values: ArrayBuffer | Float32Array<ArrayBuffer>): readonly number[] {
  const floats = values instanceof Float32Array ? values : new Float32Array(values);
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  return Array.from(bits, (each, i) => (Number.isNaN(floats[i]) ? 0x7fc00000 : floats[i] === 0 ? 0 : each));
}

describe("decoding", () => {
  it.each([
    ["decodeF16", decodeF16],
    ["decodeBf16", decodeBf16],
  ] as const)(
    "%s gives every bit pattern its value, but for the sign of a zero, whatever the number of elements and their place",
    (name, decode) => {
      const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
      for (const kernels of forms) {
        for (const [first, count, skew] of [
          [0, 65_536, 0],
          [0x7bfe, 7, 1],
          [0xfbfd, 5, 3],
          [3, 1, 2],
          [0, 0, 0],
        ] as const) {
          const bits = all.subarray(first, first + count);
          const expected = new Float32Array(count);
          decode(bits, expected);
          const out = kernels.room(4 * count, skew);
          kernels.call(name, kernels.put(bits, skew), count, out);
          expect(bitsOf(kernels.bytes(out, 4 * count))).toEqual(bitsOf(expected));
          kernels.reset();
        }
      }
    },
  );

  it("of int8 is scale × q, rounded once, wherever the elements begin in their block", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(32, 64, 256, 4096),
        fc.integer({ min: 0, max: 9000 }),
        fc.integer({ min: 0, max: 600 }),
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 0, max: 9 }),
        (block, first, count, some, skew) => {
          const values = Int8Array.from({ length: count }, (_, i) => i * 37);
          const scales = Float32Array.from({ length: 20 }, (_, i) => some[i % some.length] ?? 0);
          const expected = Float32Array.from(
            values,
            (q, i) => q * (scales[Math.floor((first + i) / block) - Math.floor(first / block)] ?? 0),
          );
          for (const kernels of forms) {
            const out = kernels.room(4 * count, skew);
            kernels.call("decodeInt8", kernels.put(values, skew), kernels.put(scales, skew), block, first, count, out);
            expect(bitsOf(kernels.bytes(out, 4 * count))).toEqual(bitsOf(expected));
            kernels.reset();
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("of sparse elements puts zeros between them, and passes over those of other parts and hostile ones", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 400 })), { maxLength: 80 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 9 }),
        (any, first, count, skew) => {
          const indices = Int32Array.from(any).sort();
          const values = Float32Array.from(indices, (_, i) => i + 0.5);
          const expected = new Float32Array(count);
          for (const [i, index] of indices.entries()) if (index >= first && index < first + count) expected[index - first] = i + 0.5;
          for (const kernels of forms) {
            const out = kernels.room(4 * count, skew);
            kernels.call("scatterF32", kernels.put(indices, skew), kernels.put(values, skew), indices.length, first, count, out);
            expect(new Float32Array(kernels.bytes(out, 4 * count))).toEqual(expected);
            kernels.reset();
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

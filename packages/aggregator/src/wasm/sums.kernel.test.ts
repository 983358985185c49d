import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeBf16, decodeF16 } from "../half-floats.js";
import type { KernelName, KernelType } from "./kernel-names.js";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";
import { doubleSums, exactMeans, exactSums, gridBitsOf, int8Terms, magicOf, singleSums } from "./sums-kernels.reference.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

const elementBytes: Readonly<Record<KernelType, number>> = { F32: 4, F64: 8, Bf16: 2, F16: 2 };
const types = Object.keys(elementBytes) as KernelType[];
const weight = fc.oneof(fc.integer({ min: 1, max: 2 ** 29 - 1 }), fc.constantFrom(2 ** -100, 2 ** 100, 0.25));
const hostile = fc.constantFrom(0, -0, 2 ** -149, -(2 ** -126), 3.4028234663852886e38, -3.4028234663852886e38, 2 ** -1074, 1);

/** Any bytes as elements, so that every bit pattern occurs, or numbers that are often hostile. */
const updates = fc.record({
  count: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 500, max: 530 })),
  weights: fc.array(weight, { maxLength: 21 }),
  skew: fc.integer({ min: 0, max: 17 }),
  seed: fc.integer(),
  isAnyBits: fc.boolean(),
  sprinkled: fc.array(hostile, { minLength: 1, maxLength: 8 }),
});
type Updates = typeof updates extends fc.Arbitrary<infer Value> ? Value : never;

/** Elements of one update, as bytes and as what they mean. */
function elementsOf(
  type: KernelType,
  { count, seed, isAnyBits, sprinkled }: Updates,
  update: number,
): { raw: ArrayBufferView; values: ArrayLike<number> } {
  let state = Math.imul(seed + update, 2_654_435_761) | 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 8;
  };
  const bytes = Uint8Array.from({ length: count * elementBytes[type] }, () => next() & 0xff);
  if (type === "F32" || type === "F64") {
    const values = type === "F32" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
    if (!isAnyBits)
      for (let k = 0; k < count; k++) values[k] = next() % 11 === 0 ? (sprinkled[k % sprinkled.length] ?? 0) : next() / 2 ** 23 - 1;
    return { raw: values, values };
  }
  const raw = new Uint16Array(bytes.buffer);
  // Below the infinities of either type; only those of binary16 are beyond what is promised.
  if (!isAnyBits || type === "F16") for (let k = 0; k < count; k++) raw[k] = (raw[k] ?? 0) & 0xbbff;
  const values = new Float32Array(count);
  // Zeros of binary16 lose their sign.
  if (type === "F16") {
    decodeF16(raw, values);
    for (let k = 0; k < count; k++) values[k] = (values[k] ?? 0) + 0;
  } else decodeBf16(raw, values);
  return { raw, values };
}

interface Laid {
  readonly values: readonly ArrayLike<number>[];
  readonly inputs: number;
  readonly weightsAt: number;
}

function lay(kernels: RawKernels, type: KernelType, sample: Updates): Laid {
  const elements = sample.weights.map((_, i) => elementsOf(type, sample, i));
  const addresses = elements.map(({ raw }, i) => kernels.put(raw, (sample.skew * (i + 1)) % 19));
  return {
    values: elements.map(({ values }) => values),
    inputs: kernels.put(Uint32Array.from(addresses)),
    weightsAt: kernels.put(Float64Array.from(sample.weights)),
  };
}

/** Runs the property on both forms with all memory given back, and guarded, between. */
function onBoth(run: (kernels: RawKernels) => void): void {
  for (const kernels of forms) {
    run(kernels);
    kernels.reset();
  }
}

describe.each(types)("sums of %s", (type) => {
  it("in float64 and float32 add one update after the other, bit by bit, whatever their number", () => {
    fc.assert(
      fc.property(updates, fc.boolean(), (sample, isFirst) => {
        onBoth((kernels) => {
          const { values, inputs, weightsAt } = lay(kernels, type, sample);
          const { count, weights, skew } = sample;
          const before = Float64Array.from({ length: count }, (_, k) => k - 7.25);
          const doubles = kernels.put(before, skew);
          kernels.call(`sumDouble${type}`, weights.length, Number(isFirst), doubles, count, inputs, weightsAt);
          const expected = doubleSums({ values, weights }, count, isFirst ? undefined : before);
          expect(new Float64Array(kernels.bytes(doubles, 8 * count))).toEqual(Float64Array.from(expected));
          if (type === "F64") return;
          const singles = kernels.put(Float32Array.from(before), skew);
          const flag = kernels.put(new Uint32Array(1));
          kernels.call(`sumSingle${type}`, weights.length, Number(isFirst), singles, count, inputs, weightsAt, flag);
          const rounded = singleSums({ values, weights }, count, isFirst ? undefined : before);
          const isBeyond = weights.length > 0 && !rounded.every((sum) => Number.isFinite(sum));
          expect(new Uint32Array(kernels.bytes(flag, 4))[0]).toBe(Number(isBeyond));
          expect(new Float32Array(kernels.bytes(singles, 4 * count))).toEqual(Float32Array.from(rounded));
        });
      }),
      { numRuns: 60 },
    );
  });

  it("in exact mode are those of whole numbers on the grid that the largest term asks for, and so are their means", () => {
    fc.assert(
      fc.property(updates, fc.boolean(), (any, isFirst) => {
        const sample = { ...any, isAnyBits: false };
        onBoth((kernels) => {
          const { values, inputs, weightsAt } = lay(kernels, type, sample);
          const { count, weights, skew } = sample;
          const n = weights.length;
          const results = kernels.room(24 * n);
          kernels.call(`scanAll${type}`, n, inputs, count, results, 24);
          const maxAbs = values.map((of) => Array.from(of).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
          expect(weights.map((_, i) => new Float64Array(kernels.bytes(results + 24 * i, 8))[0])).toEqual(maxAbs);
          const grid = kernels.room(16);
          kernels.call("gridOf", results, 24, n, weightsAt, grid);
          const gridBits = gridBitsOf(maxAbs, weights);
          expect([...new Float64Array(kernels.bytes(grid, 16))]).toEqual([magicOf(gridBits), 2 ** gridBits]);
          const before = BigInt64Array.from({ length: count }, (_, k) => BigInt(k) * 0x1234_5678_9abc_def1n * 13n);
          const sums = kernels.put(before, skew);
          kernels.call(`sumExact${type}`, n, Number(isFirst), sums, count, inputs, weightsAt, grid);
          const expected = exactSums({ values, weights }, count, isFirst ? undefined : before, gridBits);
          expect(new BigInt64Array(kernels.bytes(sums, 8 * count))).toEqual(BigInt64Array.from(expected));
          const total = weights.reduce((sum, each) => sum + each, 0) || 1;
          const means = exactMeans(expected, n, gridBits, total);
          const limit = means.reduce((largest, mean) => Math.max(largest, Math.abs(mean)), 0);
          const out = kernels.room(4 * count, skew);
          const flags = kernels.put(new Int32Array(2));
          kernels.call("finishGridF32", n, sums, count, grid, total, out, limit + 1, flags);
          kernels.call("finishGridF32", n, sums, count, grid, total, out, limit, flags + 4);
          expect(new Float32Array(kernels.bytes(out, 4 * count))).toEqual(Float32Array.from(means));
          expect([...new Int32Array(kernels.bytes(flags, 8))]).toEqual([limit + 1 > limit ? 0 : 1, count > 0 ? 1 : 0]);
          kernels.call("meansOfGrid", n, sums, count, grid, total);
          expect(new Float64Array(kernels.bytes(sums, 8 * count))).toEqual(Float64Array.from(means));
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(types)("a scan of %s", (type) => {
  it("finds the largest magnitude, the sum of squares, and whether all are finite", () => {
    fc.assert(
      fc.property(updates, fc.boolean(), fc.integer({ min: 0, max: 529 }), (any, isFinite, place) => {
        // Squares of any float64 are beyond float64 themselves.
        const sample = { ...any, isAnyBits: any.isAnyBits && type !== "F64" };
        onBoth((kernels) => {
          const { raw, values } = elementsOf(type, sample, 0);
          const spoilt = new Uint8Array(raw.buffer);
          const size = elementBytes[type];
          // All bits set are NaN in every type.
          if (!isFinite && place < sample.count) spoilt.fill(0xff, place * size, (place + 1) * size);
          const result = kernels.room(16);
          kernels.call(`scan${type}`, kernels.put(raw, sample.skew), sample.count, result);
          const [largest = 0, squares = 0] = new Float64Array(kernels.bytes(result, 16));
          const isSpoilt = (!isFinite && place < sample.count) || Array.from(values).some((value) => !Number.isFinite(value));
          expect(Number.isFinite(squares)).toBe(!isSpoilt);
          expect(Number.isFinite(largest)).toBe(!isSpoilt || type === "F64");
          if (isSpoilt) return;
          expect(largest).toBe(Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0));
          const expected = Array.from(values).reduce((sum, value) => sum + value * value, 0);
          expect(Math.abs(squares - expected)).toBeLessThanOrEqual(sample.count * 2 ** -52 * expected);
        });
      }),
      { numRuns: 100 },
    );
  });
});

/** Puts updates of int8 into memory, as they are stored and as they decode; of each kind the address of a list of addresses. */
function putInt8(
  kernels: RawKernels,
  { count, skew, seed }: { readonly count: number; readonly skew: number; readonly seed: number },
  init: { readonly updates: number; readonly block: number; readonly some: readonly number[] },
) {
  const { block, some } = init;
  const indexes = Array.from({ length: init.updates }, (_, i) => i);
  const elements = indexes.map((i) => Int8Array.from({ length: count }, (_each, k) => Math.imul(k + seed, 37 + i)));
  const scales = indexes.map((i) => Float32Array.from({ length: 17 }, (_each, b) => some[(b + i) % some.length] ?? 0));
  const rawAt = elements.map((each) => kernels.put(each, skew));
  const scaleAt = scales.map((each) => kernels.put(each, skew % 5));
  const decodedAt = indexes.map((i) => {
    const at = kernels.room(4 * count);
    kernels.call("decodeInt8", rawAt[i] ?? 0, scaleAt[i] ?? 0, block, 0, count, at);
    return at;
  });
  const [raw = 0, scaled = 0, decoded = 0] = [rawAt, scaleAt, decodedAt].map((each) => kernels.put(Uint32Array.from(each)));
  return { raw, scaled, decoded, decodedAt, elements, scales };
}

describe("sums of int8 as it is stored", () => {
  it("are those of its elements times weight and scale, bit by bit, whatever the scales and the number of updates", () => {
    const extreme = fc.constantFrom(0, -0, 2 ** -149, 2 ** -101, 2 ** 120, 0.0123);
    const scale = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), extreme);
    fc.assert(
      fc.property(
        updates,
        fc.boolean(),
        fc.constantFrom(32, 64, 256),
        fc.array(scale, { minLength: 1, maxLength: 9 }),
        (sample, isFirst, block, some) => {
          onBoth((kernels) => {
            const { count, weights, skew } = sample;
            const { raw, scaled, elements, scales } = putInt8(kernels, sample, { updates: weights.length, block, some });
            const weightsAt = kernels.put(Float64Array.from(weights));
            const before = Float32Array.from({ length: count }, (_, k) => k - 7.25);
            const sums = kernels.put(before, skew);
            const flag = kernels.put(new Uint32Array(1));
            kernels.call("sumSingleInt8", weights.length, Number(isFirst), sums, count, raw, weightsAt, scaled, block, flag);
            const values = elements.map((each, i) => {
              const ofElements = Array.from(each, (_, k) => scales[i]?.[Math.floor(k / block)] ?? 0);
              return int8Terms(each, ofElements, weights[i] ?? 0);
            });
            const expected = singleSums({ values, weights: weights.map(() => 1) }, count, isFirst ? undefined : before);
            expect(new Float32Array(kernels.bytes(sums, 4 * count))).toEqual(Float32Array.from(expected));
            const isBeyond = weights.length > 0 && !expected.every((sum) => Number.isFinite(sum));
            expect(new Uint32Array(kernels.bytes(flag, 4))[0]).toBe(Number(isBeyond));
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("exact sums of int8 as it is stored", () => {
  const any = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) });
  /** Scales of few significant bits, whose terms are whole multiples where weights allow it, next to some of all bits. */
  const short = fc.tuple(fc.integer({ min: -4095, max: 4095 }), fc.integer({ min: -30, max: -20 })).map(([of, power]) => of * 2 ** power);
  const scale = fc.oneof(
    { weight: 8, arbitrary: short },
    { weight: 1, arbitrary: fc.oneof(any, fc.constantFrom(0, -0, 2 ** -149, 0.0123)) },
  );
  const weights = fc.array(fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 4000 }) }, { weight: 1, arbitrary: weight }), {
    maxLength: 21,
  });

  it("are those of what it decodes to, bit by bit, whether terms are whole multiples or rounded, on coarse and fine grids", () => {
    fc.assert(
      fc.property(
        updates,
        weights,
        fc.boolean(),
        fc.constantFrom(32, 64, 256),
        fc.array(scale, { minLength: 1, maxLength: 9 }),
        fc.constantFrom(0, 0, 0, 7, 30),
        (sample, factors, isFirst, block, some, headroom) => {
          onBoth((kernels) => {
            const { count, skew } = sample;
            const n = factors.length;
            const { raw, scaled, decoded, decodedAt } = putInt8(kernels, sample, { updates: factors.length, block, some });
            const weightsAt = kernels.put(Float64Array.from(factors));
            const largest = decodedAt.map((at) =>
              new Float32Array(kernels.bytes(at, 4 * count)).reduce((most, each) => Math.max(most, Math.abs(each)), 0),
            );
            const gridBits = gridBitsOf(largest, factors) - headroom;
            const grid = kernels.put(Float64Array.of(magicOf(gridBits), 2 ** gridBits));
            const before = BigInt64Array.from({ length: count }, (_, k) => BigInt(k) * 0x1234_5678_9abc_def1n * 13n);
            const [sums, expected] = [kernels.put(before, skew), kernels.put(before)];
            kernels.call("sumExactInt8", n, Number(isFirst), sums, count, raw, weightsAt, scaled, block, grid);
            kernels.call("sumExactF32", n, Number(isFirst), expected, count, decoded, weightsAt, grid);
            expect(new BigInt64Array(kernels.bytes(sums, 8 * count))).toEqual(new BigInt64Array(kernels.bytes(expected, 8 * count)));
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Means of updates, and whether one is beyond a limit, when they are made in two passes and in one. */
function meansInTwoWays(
  kernels: RawKernels,
  { count, weights, skew }: Updates,
  { largest, sum, mean }: { readonly largest: readonly number[]; readonly sum: Call; readonly mean: Call },
): { readonly afterwards: Means; readonly atOnce: Means } {
  const n = weights.length;
  const gridBits = gridBitsOf(largest, weights);
  const grid = kernels.put(Float64Array.of(magicOf(gridBits), 2 ** gridBits));
  const total = weights.reduce((all, each) => all + each, 0) || 1;
  const [sums, few] = [kernels.room(8 * count, skew), kernels.room(8 * Math.min(256, count), skew)];
  const [out, same] = [kernels.room(4 * count, skew), kernels.room(4 * count, skew)];
  const limit = (largest[0] ?? 0) / 2;
  const flags = kernels.put(new Int32Array(2));
  kernels.call(sum.name, n, 1, sums, count, ...sum.inputs, grid);
  kernels.call("finishGridF32", n, sums, count, grid, total, out, limit, flags);
  kernels.call(mean.name, n, few, count, ...mean.inputs, grid, total, same, limit, flags + 4);
  const [isBeyond, isBeyondToo] = new Int32Array(kernels.bytes(flags, 8));
  return {
    afterwards: { means: kernels.bytes(out, 4 * count), isBeyond },
    atOnce: { means: kernels.bytes(same, 4 * count), isBeyond: isBeyondToo },
  };
}

interface Means {
  readonly means: ArrayBuffer;
  readonly isBeyond: number | undefined;
}

interface Call {
  readonly name: KernelName;
  readonly inputs: readonly number[];
}

const largestOf = (values: ArrayLike<number>): number => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("means that are made in one pass", () => {
  it.each(["F32", "Bf16", "F16"] as const)("are those of exact sums of %s that are finished afterwards", (type) => {
    fc.assert(
      fc.property(updates, (any) => {
        const sample = { ...any, isAnyBits: false };
        onBoth((kernels) => {
          const { values, inputs: addresses, weightsAt } = lay(kernels, type, sample);
          const inputs = [addresses, weightsAt];
          const largest = values.map(largestOf);
          const { atOnce, afterwards } = meansInTwoWays(kernels, sample, {
            largest,
            sum: { name: `sumExact${type}`, inputs },
            mean: { name: `meanExact${type}`, inputs },
          });
          expect(atOnce).toEqual(afterwards);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("are those of exact sums of int8 that are finished afterwards, whatever shares a scale", () => {
    const scale = fc.oneof(fc.integer({ min: -4095, max: 4095 }), fc.constantFrom(0.0123, 0));
    fc.assert(
      fc.property(updates, fc.constantFrom(32, 64, 256, 4096), fc.array(scale, { minLength: 1, maxLength: 9 }), (sample, block, some) => {
        onBoth((kernels) => {
          const { count, weights } = sample;
          const { raw, scaled, decodedAt } = putInt8(kernels, sample, { updates: weights.length, block, some });
          const inputs = [raw, kernels.put(Float64Array.from(weights)), scaled, block];
          const { atOnce, afterwards } = meansInTwoWays(kernels, sample, {
            largest: decodedAt.map((at) => largestOf(new Float32Array(kernels.bytes(at, 4 * count)))),
            sum: { name: "sumExactInt8", inputs },
            mean: { name: "meanExactInt8", inputs },
          });
          expect(atOnce).toEqual(afterwards);
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("a block that is scanned and added at once", () => {
  it("gives what a scan gives and adds what sums add, bit by bit", () => {
    fc.assert(
      fc.property(updates, fc.boolean(), weight, (any, isFirst, factor) => {
        const sample = { ...any, isAnyBits: false };
        onBoth((kernels) => {
          const { raw, values } = elementsOf("F32", sample, 0);
          const { count, skew } = sample;
          const x = kernels.put(raw, skew);
          const results = kernels.room(48);
          kernels.call("scanF32", x, count, results);
          const scanned = new Float64Array(kernels.bytes(results, 16));
          const before = Float32Array.from({ length: count }, (_, k) => k - 7.25);
          const singles = kernels.put(before, skew);
          kernels.call("foldSingleF32", x, count, factor, Number(isFirst), singles, results + 16);
          const rounded = singleSums({ values: [values], weights: [factor] }, count, isFirst ? undefined : before);
          expect(new Float32Array(kernels.bytes(singles, 4 * count))).toEqual(Float32Array.from(rounded));
          expect(new Float64Array(kernels.bytes(results + 16, 16))).toEqual(scanned);
          const gridBits = gridBitsOf([scanned[0] ?? 0], [factor]);
          const grid = kernels.put(Float64Array.of(magicOf(gridBits), 2 ** gridBits));
          const whole = BigInt64Array.from({ length: count }, (_, k) => BigInt(k) * 0x1234_5678_9abc_def1n * 13n);
          const sums = kernels.put(whole, skew);
          kernels.call("foldExactF32", x, count, factor, Number(isFirst), sums, grid, results + 32);
          const expected = exactSums({ values: [values], weights: [factor] }, count, isFirst ? undefined : whole, gridBits);
          expect(new BigInt64Array(kernels.bytes(sums, 8 * count))).toEqual(BigInt64Array.from(expected));
          expect(new Float64Array(kernels.bytes(results + 32, 16))).toEqual(scanned);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("is taken away bit by bit, whatever the elements", () => {
    fc.assert(
      fc.property(updates, weight, fc.constantFrom(1, 2 ** -20, 2 ** -149, 2 ** 100), (sample, factor, limit) => {
        onBoth((kernels) => {
          const { raw, values } = elementsOf("F32", { ...sample, isAnyBits: true }, 0);
          const { count, skew } = sample;
          const x = kernels.put(raw, skew);
          const result = kernels.room(16);
          const gridBits = 50 - Math.log2(limit);
          const grid = kernels.put(Float64Array.of(magicOf(gridBits), 2 ** gridBits));
          const before = BigInt64Array.from({ length: count }, (_, k) => BigInt(k) * 0x1234_5678_9abc_def1n * 13n);
          const sums = kernels.put(before, skew);
          kernels.call("foldExactF32", x, count, factor, 0, sums, grid, result);
          const [largest = 0] = new Float64Array(kernels.bytes(result, 8));
          expect(largest <= limit).toBe(Array.from(values).every((value) => Math.abs(value) <= limit));
          kernels.call("unfoldExactF32", x, count, factor, sums, grid);
          expect(new BigInt64Array(kernels.bytes(sums, 8 * count))).toEqual(before);
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("a grid", () => {
  it("is the one that exact-scale gives, for every exponent, next to powers of two, and for zeros", () => {
    const largest = [0, 2 ** -1074, 2 ** -1022 - 2 ** -1074, ...Array.from({ length: 1400 }, (_, i) => 2 ** (i - 849))];
    for (const power of largest) {
      for (const value of [power, power * (1 + 2 ** -52), power * (1 - 2 ** -53)]) {
        onBoth((kernels) => {
          const grid = kernels.room(16);
          kernels.call("gridOf", kernels.put(Float64Array.of(value)), 8, 1, kernels.put(Float64Array.of(1)), grid);
          const gridBits = gridBitsOf([value], [1]);
          expect([...new Float64Array(kernels.bytes(grid, 16))], `${value}`).toEqual([magicOf(gridBits), 2 ** gridBits]);
        });
      }
    }
  });
});

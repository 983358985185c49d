import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationReport, ParamsType } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { gridFor } from "../exact/exact-scale.js";
import { distance, exactMean, rationalOf, ruleMean } from "../fed-avg.reference.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { blockElements } from "../session/batches.js";
import { fedAvg } from "../strategies/fed-avg.js";
import type { Tensor } from "../tensor.js";
import { ExactJsEngine } from "./exact-js-engine.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-engine-"));
});
afterAll(() => rm(folder, { recursive: true }));

const engine = new ExactJsEngine({ nowMs: () => 0 });

interface Sent {
  readonly contributor: string;
  readonly weight: number;
  readonly bytes: Uint8Array;
}

async function aggregate(
  model: Uint8Array,
  updates: readonly Sent[],
  paramsType: ParamsType = "FULL",
  base?: string,
): Promise<AggregationReport> {
  const session = await engine.open({ model: parseSafetensorsHeader(model), strategy: fedAvg(), paramsType });
  await Promise.all(updates.map(({ contributor, weight, bytes }) => session.add({ contributor, weight, source: bytes, paramsType })));
  return session.finish({ outPath: join(folder, "out.safetensors"), base });
}

const f32 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(values),
});
const fileOf = (tensors: Record<string, Tensor>): Uint8Array => encodeSafetensors(Object.entries(tensors));

/** Values of a few tensors from 1 to 20 contributors: scalars, empty and odd shapes, magnitudes from tiny to huge. */
const federation = fc
  .record({
    shapes: fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    weights: fc.array(fc.integer({ min: 1, max: 2 ** 29 - 1 }), { minLength: 1, maxLength: 20 }),
  })
  .chain(({ shapes, weights }) => {
    const values = fc.tuple(
      ...weights.map(() =>
        fc.tuple(
          ...shapes.map((shape) => {
            const length = shape.reduce((a, b) => a * b, 1);
            const value = fc.oneof(
              fc.float({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }),
              fc.float({ noNaN: true, noDefaultInfinity: true }),
            );
            return fc.array(value, { minLength: length, maxLength: length });
          }),
        ),
      ),
    );
    return fc.record({
      shapes: fc.constant(shapes),
      weights: fc.constant(weights),
      values,
      order: fc.shuffledSubarray([...weights.keys()], { minLength: weights.length }),
    });
  });

describe("FedAvg on the CPU", () => {
  it("has the same SHA-256 in any order, follows the rule bit by bit, and errs by at most one unit of float32 within the scale", async () => {
    await fc.assert(
      fc.asyncProperty(federation, async ({ shapes, weights, values, order }) => {
        const files = values.map((tensors) => fileOf(Object.fromEntries(tensors.map((each, t) => [`t${t}`, f32(each, shapes[t])]))));
        const sent = files.map((bytes, i) => ({ contributor: `site-${i}`, weight: weights[i] ?? 0, bytes }));
        const model = files[0] ?? new Uint8Array();
        const first = await aggregate(model, sent);
        const out = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
        const second = await aggregate(
          model,
          order.flatMap((i) => sent[i] ?? []),
        );
        expect(second.sha256).toBe(first.sha256);
        expect(second.contributors).toEqual(first.contributors);
        for (const t of shapes.keys()) {
          const columns = values.map((tensors) => tensors[t] ?? []);
          const gridBits = gridFor(
            Math.max(0, ...columns.flatMap((column, i) => column.map((value) => Math.abs(value * (weights[i] ?? 0))))),
          );
          for (const [element, got] of (out.get(`t${t}`)?.data ?? []).entries()) {
            const terms = columns.map((column) => column[element] ?? 0);
            expect(got).toBe(Math.fround(ruleMean(terms, weights, gridBits)));
            const unit = Math.max(2 ** -149, 2 ** (Math.floor(Math.log2(Math.abs(Number(got)) || 2 ** -149)) - 23));
            const grid = (weights.length * 2 ** -(gridBits + 1)) / weights.reduce((a, b) => a + b, 0);
            expect(distance(rationalOf(Number(got)), exactMean(terms, weights))).toBeLessThanOrEqual(Math.max(unit, 2 * grid));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("keeps equal updates to within a unit, and large values beside small ones in other tensors", async () => {
    const bytes = fileOf({ weight: f32([0.1, -0.02, 3e-5]), running_var: f32([1e6, 123_456.78, 0.5]), huge: f32([3e38, -3e38]) });
    await aggregate(bytes, [
      { contributor: "a", weight: 1e6, bytes },
      { contributor: "b", weight: 3, bytes },
    ]);
    const out = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
    expect([...(out.get("weight")?.data ?? [])]).toEqual([...Float32Array.of(0.1, -0.02, 3e-5)]);
    expect([...(out.get("running_var")?.data ?? [])]).toEqual([...Float32Array.of(1e6, 123_456.78, 0.5)]);
    expect([...(out.get("huge")?.data ?? [])]).toEqual([...Float32Array.of(3e38, -3e38)]);
  });

  it("gives each block of a tensor a grid of its own, so that the error goes with the block's largest value", async () => {
    // The first block is full of large values; a tensor's grid would leave nothing of the values of 10^-9 in the second.
    const valueOf = (seed: number, i: number): number => Math.fround((i < blockElements ? 1e9 : 1e-9) * Math.sin(seed + i * (1 + seed)));
    const weights = [3, 2 ** 29 - 1, 1000, 77];
    const length = blockElements + 300;
    const files = weights.map((_, seed) => fileOf({ w: f32(Array.from({ length }, (__, i) => valueOf(seed, i))) }));
    await aggregate(
      files[0] ?? new Uint8Array(),
      files.map((bytes, i) => ({ contributor: `site-${i}`, weight: weights[i] ?? 0, bytes })),
    );
    const out = decodeSafetensors(await readFile(join(folder, "out.safetensors"))).get("w")?.data ?? [];
    for (const [first, end] of [
      [0, blockElements],
      [blockElements, length],
    ] as const) {
      const block = Array.from({ length: end - first }, (_, i) => weights.map((__, seed) => valueOf(seed, first + i)));
      const largestOf = (factors: readonly number[]): number =>
        block.reduce((most, terms) => Math.max(most, ...terms.map((value, seed) => Math.abs(value * (factors[seed] ?? 0)))), 0);
      const gridBits = gridFor(largestOf(weights));
      const largest = largestOf(weights.map(() => 1));
      for (let i = 0; i < block.length; i += 53) {
        const terms = block[i] ?? [];
        const got = Number(out[first + i]);
        expect(got).toBe(Math.fround(ruleMean(terms, weights, gridBits)));
        const halfUnit = 2 ** (Math.floor(Math.log2(Math.abs(got))) - 24);
        // The bound of the README: steps, two roundings of float64, and that of the type.
        const bound = weights.length * 2 ** -51 * largest + 2 ** -52 * Math.abs(got) + halfUnit;
        expect(distance(rationalOf(got), exactMean(terms, weights))).toBeLessThanOrEqual(bound);
      }
    }
  });

  it("crosses batches of 1 MiB with tensors on odd places", async () => {
    const big = (seed: number): Uint8Array =>
      fileOf({
        flag: { dtype: "BOOL", shape: [3], data: Uint8Array.of(1, 0, seed % 2) },
        big: f32(Array.from({ length: 300_001 }, (_, i) => Math.sin(i * seed))),
        half: { dtype: "BF16", shape: [5], data: Uint16Array.of(0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0) },
        wide: { dtype: "F64", shape: [140_001], data: Float64Array.from({ length: 140_001 }, (_, i) => Math.cos(i * seed)) },
      });
    const updates = [1, 2, 3].map((seed) => ({ contributor: `${seed}`, weight: seed, bytes: big(seed) }));
    await aggregate(big(1), updates);
    const out = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
    for (const i of [0, 1, 262_143, 262_144, 300_000]) {
      const mean = [1, 2, 3].reduce((sum, seed) => sum + seed * Math.fround(Math.sin(i * seed)), 0) / 6;
      expect(out.get("big")?.data[i]).toBeCloseTo(mean, 6);
    }
    for (const i of [0, 70_000, 131_072, 140_000]) {
      const mean = [1, 2, 3].reduce((sum, seed) => sum + seed * Math.cos(i * seed), 0) / 6;
      expect(out.get("wide")?.data[i]).toBeCloseTo(mean, 13);
    }
    expect([...(out.get("flag")?.data ?? [])]).toEqual([1, 0, 1]);
    expect([...(out.get("half")?.data ?? [])]).toEqual([0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0]);
  });
});

describe("an announced scale", () => {
  const model = fileOf({ w: f32([0.5]), var: f32([1000]), step: { dtype: "I64", shape: [], data: BigInt64Array.of(1n) } });
  const update = (w: number, variance: number): Uint8Array =>
    fileOf({ w: f32([w]), var: f32([variance]), step: { dtype: "I64", shape: [], data: BigInt64Array.of(5n) } });

  async function announced(): ReturnType<typeof announceScale> {
    const path = join(folder, "model.safetensors");
    await writeFile(path, model);
    return announceScale({ model: path, maxWeight: 1000 });
  }

  it("follows from the global model and the largest weight", async () => {
    // 40 - 10 bits of weight; 1000 is below 2^10, so 10 bits more.
    expect(await announced()).toEqual({ gridBits: { w: 30, var: 20 } });
  });

  it("gives the grid whatever the updates are, and refuses a value beyond it by name", async () => {
    const scale = await announced();
    const session = await engine.open({ model: parseSafetensorsHeader(model), strategy: fedAvg(), paramsType: "FULL", scale });
    await session.add({ contributor: "a", weight: 1000, source: update(2047, 2e6), paramsType: "FULL" });
    await expect(session.add({ contributor: "b", weight: 1000, source: update(2100, 1), paramsType: "FULL" })).rejects.toMatchObject({
      code: "aggregate/out-of-range",
      facts: { contributor: "b", tensor: "w", value: 2100 },
    });
    await expect(session.add({ contributor: "c", weight: 1e6, source: update(500, 1), paramsType: "FULL" })).rejects.toMatchObject({
      code: "aggregate/out-of-range",
    });
    await session.finish({ outPath: join(folder, "out.safetensors") });
    const out = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
    expect([out.get("w")?.data[0], out.get("var")?.data[0], out.get("step")?.data[0]]).toEqual([2047, 2e6, 5n]);
  });

  it("without an entry for a tensor is refused", async () => {
    const layout = parseSafetensorsHeader(model);
    await expect(
      engine.open({ model: layout, strategy: fedAvg(), paramsType: "FULL", scale: { gridBits: { w: 30 } } }),
    ).rejects.toMatchObject({
      code: "aggregate/scale-incomplete",
      facts: { tensor: "var" },
    });
  });
});

describe("the file of an update", () => {
  it("that changes after it was accepted is noticed", async () => {
    const path = join(folder, "update.safetensors");
    await writeFile(path, fileOf({ w: f32([1, 2]) }));
    const session = await engine.open({ model: path, strategy: fedAvg(), paramsType: "FULL" });
    await session.add({ contributor: "a", weight: 1, source: path, paramsType: "FULL" });
    await writeFile(path, fileOf({ w: f32([1, 2]), v: f32([3]) }));
    await expect(session.finish({ outPath: join(folder, "out.safetensors") })).rejects.toMatchObject({
      code: "aggregate/update-changed",
      facts: { contributor: "a", file: path },
    });
  });

  it.each([
    ["a Uint8Array", (bytes: Uint8Array) => bytes],
    ["a Buffer", (bytes: Uint8Array) => Buffer.from(bytes)],
  ])("given as the bytes of %s may be reused by the caller", async (_what, make) => {
    const bytes = make(fileOf({ w: f32([1, 2]) }));
    const session = await engine.open({ model: parseSafetensorsHeader(bytes), strategy: fedAvg(), paramsType: "FULL" });
    const adding = session.add({ contributor: "a", weight: 1, source: bytes, paramsType: "FULL" });
    bytes.fill(0);
    await adding;
    await session.finish({ outPath: join(folder, "out.safetensors") });
    expect([...(decodeSafetensors(await readFile(join(folder, "out.safetensors"))).get("w")?.data ?? [])]).toEqual([1, 2]);
  });
});

describe("memory", () => {
  it("does not grow with the number of updates read from files", async () => {
    const path = join(folder, "large.safetensors");
    await writeFile(path, fileOf({ a: { dtype: "F32", shape: [10_000_000], data: new Float32Array(10_000_000).fill(0.25) } }));
    const peakOf = async (updates: number): Promise<number> => {
      let peak = 0;
      const look = (): void => {
        const { external, heapUsed } = process.memoryUsage();
        peak = Math.max(peak, external + heapUsed);
      };
      const session = await engine.open({ model: path, strategy: fedAvg(), paramsType: "FULL" });
      const watch = setInterval(look, 5);
      for (let i = 0; i < updates; i++) await session.add({ contributor: `site-${i}`, weight: i + 1, source: path, paramsType: "FULL" });
      await session.finish({ outPath: join(folder, "out.safetensors") });
      clearInterval(watch);
      return peak;
    };
    await peakOf(1);
    const [few, many] = [await peakOf(1), await peakOf(8)];
    // Eight updates are 320 MB. Buffers of 1 MiB that are not yet collected make the difference uncertain by some tens of MB.
    expect(many - few).toBeLessThan(80e6);
  });
});

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, ParamsType } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { maxContributors } from "../exact/exact-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { coordinateMedian } from "../strategies/median.js";
import type { Strategy } from "../strategies/strategy.js";
import { trimmedMean } from "../strategies/trimmed-mean.js";
import { type Dtype, dtypeBytes } from "../tensor.js";
import { type SampleTensor, sampleUpdate } from "./sample-federation.test-support.js";
import { WasmEngine } from "./wasm-engine.js";
import { maxThreads } from "./wasm-parts.js";

const nowMs = (): number => performance.now();
const js = new ExactJsEngine({ nowMs });
let folder = "";
let engines: WasmEngine[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-wasm-"));
  engines = await Promise.all([
    ...[1, 2, 3, 5, maxThreads].map((threads) => WasmEngine.create({ nowMs }, { threads })),
    WasmEngine.create({ nowMs }, { isSimdAllowed: false }),
    WasmEngine.create({ nowMs }, { isSimdAllowed: false, threads: 2 }),
  ]);
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

interface Federation {
  readonly model: Uint8Array;
  readonly updates: readonly { readonly weight: number; readonly source: Uint8Array | string }[];
  readonly paramsType?: ParamsType;
  readonly base?: string;
  readonly strategy?: Strategy;
}

/** Adds updates, each under a name that goes with it, in the order given, and gives the hash of the new model or the error's code. */
async function outcome(
  engine: AggregationEngine,
  { model, updates, paramsType = "FULL", base, strategy = fedAvg() }: Federation,
  order?: readonly number[],
): Promise<string> {
  const session = await engine.open({ model: parseSafetensorsHeader(model), strategy, paramsType });
  try {
    for (const i of order ?? updates.keys()) {
      const update = updates[i];
      if (update !== undefined) await session.add({ contributor: `site-${i}`, paramsType, ...update });
    }
    return (await session.finish({ outPath: join(folder, "out.safetensors"), base, isDurable: false })).sha256;
  } catch (cause) {
    return (cause as { code: string }).code;
  } finally {
    await session.discard();
  }
}

const dtypes = Object.keys(dtypeBytes) as Dtype[];
const shortShape = fc.oneof(
  fc.constant([]),
  fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }),
  fc.integer({ min: 0, max: 300 }).map((length) => [length]),
);
/** More than one block of the sums, and work for several threads; two of them beside short ones have all neighbours that there are. */
const longShape = fc.integer({ min: 65_000, max: 140_001 }).map((length) => [length]);
const some = (shape: fc.Arbitrary<readonly number[]>, minLength: number, maxLength: number): fc.Arbitrary<SampleTensor[]> =>
  fc.array(fc.record<SampleTensor>({ dtype: fc.constantFrom(...dtypes), shape }), { minLength, maxLength });
const federation = fc.record({
  tensors: fc.tuple(some(shortShape, 1, 4), some(longShape, 0, 2), some(shortShape, 0, 4)).map((parts) => parts.flat()),
  weights: fc.array(fc.oneof(fc.integer({ min: 1, max: 2 ** 29 }), fc.double({ min: 2 ** -90, max: 2 ** 90, noNaN: true })), {
    minLength: 1,
    maxLength: 64,
  }),
  seed: fc.integer(),
  absence: fc.constantFrom(0, 0.3),
  paramsType: fc.constantFrom<ParamsType[]>("FULL", "DIFF"),
  isFile: fc.boolean(),
  strategy: fc.constantFrom(fedAvg(), fedAvg(), coordinateMedian(), trimmedMean({ fraction: 0.2 })),
});

describe("exact sums by kernels", () => {
  it("are those of plain JavaScript bit by bit: any shapes, types, weights, order, threads, with and without vector instructions", async () => {
    let finished = 0;
    await fc.assert(
      fc.asyncProperty(federation, async ({ tensors, weights, seed, absence, paramsType, isFile, strategy }) => {
        const model = sampleUpdate(tensors, seed);
        const base = join(folder, "base.safetensors");
        await writeFile(base, model);
        // What grows with the number of updates is the same for every element: many of them are tried on short tensors.
        const few = tensors.some(({ shape: [length = 0] }) => length > 300) ? weights.slice(0, 5) : weights;
        const updates = await Promise.all(
          few.map(async (weight, i) => {
            const bytes = sampleUpdate(tensors, seed + i + 1, absence);
            if (!isFile) return { weight, source: bytes };
            await writeFile(join(folder, `${i}.safetensors`), bytes);
            return { weight, source: join(folder, `${i}.safetensors`) };
          }),
        );
        const given = { model, updates, paramsType, base, strategy };
        const wanted = await outcome(js, given);
        if (!wanted.includes("/")) finished += 1;
        for (const engine of engines) expect(await outcome(engine, given, [...updates.keys()].toReversed())).toBe(wanted);
      }),
      { numRuns: 20, endOnFailure: true },
    );
    expect(finished).toBeGreaterThan(5);
  });

  it("decode and encode every finite number of the 16-bit types", async () => {
    const all = (limit: number): Uint16Array => Uint16Array.from({ length: 2 * limit }, (_, i) => (i < limit ? i : 0x8000 | (i - limit)));
    for (const [dtype, limit] of [
      ["F16", 0x7c00],
      ["BF16", 0x7f80],
    ] as const) {
      const data = all(limit);
      const model = encodeSafetensors([["w", { dtype, shape: [data.length], data }]]);
      const other = encodeSafetensors([["w", { dtype, shape: [data.length], data: data.toReversed() }]]);
      const given = {
        model,
        updates: [
          { weight: 3, source: model },
          { weight: 5, source: other },
        ],
      };
      const alone = { model, updates: [{ weight: 7, source: model }] };
      for (const federated of [given, alone]) {
        const wanted = await outcome(js, federated);
        for (const engine of engines) expect(await outcome(engine, federated)).toBe(wanted);
      }
    }
  });

  it("refuse hostile values as plain JavaScript does, with the same words", async () => {
    const f32 = (values: readonly number[]): Uint8Array =>
      encodeSafetensors([["w", { dtype: "F32", shape: [values.length], data: Float32Array.from(values) }]]);
    const f64 = (values: readonly number[]): Uint8Array =>
      encodeSafetensors([["w", { dtype: "F64", shape: [values.length], data: Float64Array.from(values) }]]);
    const half = (bits: number): Uint8Array =>
      encodeSafetensors([["w", { dtype: "F16", shape: [5], data: Uint16Array.of(0, 1, 2, bits, 4) }]]);
    const long = Array.from({ length: 70_001 }, () => 1);
    const hostile = [
      f32([1, Number.NaN, 2]),
      f32([...long, Number.NEGATIVE_INFINITY, 3]),
      f32([Number.NaN, ...long]),
      f64([2 ** 500]),
      f64([1e308, 1e308, 1]),
      f64([1, Number.NaN, 1e308]),
      half(0x7c00),
      half(0xfe01),
    ];
    const refusal = async (engine: AggregationEngine, bytes: Uint8Array): Promise<unknown> => {
      const session = await engine.open({ model: parseSafetensorsHeader(bytes), strategy: fedAvg(), paramsType: "FULL" });
      const thrown: unknown = await session
        .add({ contributor: "a", weight: 1, source: bytes, paramsType: "FULL" })
        .catch((cause: unknown) => cause);
      await session.discard();
      return thrown;
    };
    for (const bytes of hostile) {
      const wanted = await refusal(js, bytes);
      expect(wanted).toBeInstanceOf(Error);
      for (const engine of engines) expect(await refusal(engine, bytes)).toEqual(wanted);
    }
  });

  it("name the element whose new value is beyond the type, as plain JavaScript does", async () => {
    const of = (dtype: "F16" | "BF16" | "F32", data: Uint16Array | Float32Array): Uint8Array =>
      encodeSafetensors([["w", { dtype, shape: [data.length], data }]]);
    const most = [
      of("F16", Uint16Array.of(0, 0, 0, 0, 0, 0x7bff)),
      of("BF16", Uint16Array.of(0, 0x7f7f)),
      of("F32", Float32Array.of(0, 0, 0, 3.4e38)),
    ];
    for (const bytes of most) {
      const base = join(folder, "base.safetensors");
      await writeFile(base, bytes);
      const fail = async (engine: AggregationEngine): Promise<unknown> => {
        const session = await engine.open({ model: base, strategy: fedAvg(), paramsType: "DIFF" });
        await session.add({ contributor: "a", weight: 1, source: bytes, paramsType: "DIFF" });
        const thrown: unknown = await session.finish({ outPath: join(folder, "out.safetensors"), base }).catch((cause: unknown) => cause);
        await session.discard();
        return thrown;
      };
      const wanted = await fail(js);
      expect(wanted).toMatchObject({ code: "aggregate/out-of-range" });
      for (const engine of engines) expect(await fail(engine)).toEqual(wanted);
    }
  });

  it("follow an announced scale", async () => {
    const tensors: SampleTensor[] = [
      { dtype: "F32", shape: [999] },
      { dtype: "BF16", shape: [77] },
      { dtype: "I32", shape: [3] },
    ];
    const model = join(folder, "model.safetensors");
    await writeFile(model, sampleUpdate(tensors, 5));
    const scale = await announceScale({ model, maxWeight: 1000 });
    const hashes = new Set<string>();
    for (const engine of [js, ...engines]) {
      const session = await engine.open({ model, strategy: fedAvg(), paramsType: "FULL", scale });
      for (const i of [1, 2, 3]) await session.add({ contributor: `${i}`, weight: 300 * i, source: model, paramsType: "FULL" });
      hashes.add((await session.finish({ outPath: join(folder, "out.safetensors") })).sha256);
    }
    expect(hashes.size).toBe(1);
  });

  it("hold at the limit of contributors, where a sum reaches 2^63 steps", async () => {
    // The term 2^51 - 1/4 steps rounds up to 2^51 of them.
    const value = (2 ** 53 - 1) * 2 ** -30;
    const bytes = encodeSafetensors([["w", { dtype: "F64", shape: [1], data: Float64Array.of(value) }]]);
    const updates = Array.from({ length: maxContributors }, () => ({ weight: 1, source: bytes }));
    expect(await outcome(engines[0] ?? js, { model: bytes, updates })).toBe(await outcome(js, { model: bytes, updates }));
    expect(decodeSafetensors(await readFile(join(folder, "out.safetensors"))).get("w")?.data[0]).toBeGreaterThan(0);
  });
});

describe("rounding sums by kernels", () => {
  it.each(["fast", "float64"] as const)(
    "of mode %s have the same bits in any order, on any threads, with and without vector instructions",
    async (mode) => {
      const rounding = await Promise.all(
        [1, 3, maxThreads].flatMap((threads) =>
          [true, false].map((isSimdAllowed) => WasmEngine.create({ nowMs }, { mode, threads, isSimdAllowed })),
        ),
      );
      const tensors: SampleTensor[] = [
        { dtype: "F32", shape: [140_001] },
        { dtype: "BF16", shape: [1003] },
        { dtype: "F16", shape: [7] },
        { dtype: "F64", shape: [501] },
        { dtype: "I64", shape: [] },
      ];
      const base = join(folder, "base.safetensors");
      await writeFile(base, sampleUpdate(tensors, 1));
      for (const paramsType of ["FULL", "DIFF"] as const) {
        const updates = [2, 3, 4, 5, 6, 7].map((seed) => ({ weight: seed * 0.7, source: sampleUpdate(tensors, seed, 0.2) }));
        const given: Federation = { model: sampleUpdate(tensors, 1), updates, paramsType, base };
        const hashes = new Set<string>();
        for (const engine of rounding)
          for (const order of [
            [0, 1, 2, 3, 4, 5],
            [5, 2, 0, 4, 1, 3],
          ])
            hashes.add(await outcome(engine, given, order));
        expect(hashes.size).toBe(1);
        expect([...hashes][0]).toMatch(/^[0-9a-f]{64}$/);
      }
      await Promise.all(rounding.map((engine) => engine.close()));
    },
  );
});

describe("an engine that is closed", () => {
  it("refuses what it cannot do any more, instead of waiting for ever", async () => {
    const engine = await WasmEngine.create({ nowMs }, { threads: 2 });
    const model = sampleUpdate([{ dtype: "F32", shape: [100] }], 1);
    const session = await engine.open({ model: parseSafetensorsHeader(model), strategy: fedAvg(), paramsType: "FULL" });
    const adding = session.add({ contributor: "a", weight: 1, source: model, paramsType: "FULL" });
    await Promise.allSettled([adding, engine.close()]);
    await expect(session.add({ contributor: "b", weight: 1, source: model, paramsType: "FULL" })).rejects.toMatchObject({
      code: "aggregate/threads-ended",
    });
    await session.discard();
  });

  it("does not keep its process alive, closed or not", async () => {
    const entry = JSON.stringify(new URL("../../dist/index.js", import.meta.url).href);
    const program = `const { WasmEngine } = await import(${entry}); await WasmEngine.create({ nowMs: () => 0 }, { threads: 2 });`;
    const ended = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { timeout: 30_000 });
    await expect(ended).resolves.toEqual({ stdout: "", stderr: "" });
  });
});

describe("the memory of the kernels", () => {
  it("stays below 64 MiB for files, and is used again by session after session", async () => {
    const engine = await WasmEngine.create({ nowMs }, { threads: 2 });
    const path = join(folder, "large.safetensors");
    await writeFile(path, encodeSafetensors([["w", { dtype: "F32", shape: [5_000_000], data: new Float32Array(5_000_000).fill(0.5) }]]));
    const bytes = await readFile(path);
    await outcome(engine, { model: bytes, updates: Array.from({ length: 9 }, () => ({ weight: 1, source: path })) });
    expect(engine.kernelBytes).toBeLessThan(64 * 2 ** 20);
    await outcome(engine, { model: bytes, updates: Array.from({ length: 3 }, () => ({ weight: 1, source: bytes })) });
    const after = engine.kernelBytes;
    for (let i = 0; i < 5; i++)
      await outcome(engine, { model: bytes, updates: Array.from({ length: 3 }, () => ({ weight: 1, source: bytes })) });
    expect(engine.kernelBytes).toBe(after);
    await engine.close();
    for (const file of await readdir(folder)) await rm(join(folder, file));
  });
});

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { WasmEngine } from "../wasm/wasm-engine.js";
import { type CompressUpdateInit, compressUpdate } from "./compress-update.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-compress-"));
});
afterAll(() => rm(folder, { recursive: true }));

const nowMs = (): number => performance.now();
const length = 70_001;

async function writeModel(name: string, seed: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    encodeSafetensors([
      [
        "w",
        { dtype: "F32", shape: [length], data: Float32Array.from({ length }, (_, i) => Math.sin(i * 0.7 + seed) * 10 ** ((i % 7) - 3)) },
      ],
      ["empty", { dtype: "F32", shape: [0], data: new Float32Array(0) }],
      ["scalar", { dtype: "F32", shape: [], data: Float32Array.of(seed) }],
      ["steps", { dtype: "I64", shape: [1], data: BigInt64Array.of(BigInt(seed)) }],
      ["zeros", { dtype: "F32", shape: [100], data: new Float32Array(100) }],
    ]),
  );
  return path;
}

const forms: readonly Omit<CompressUpdateInit, "source" | "outPath">[] = [
  { form: "float16" },
  { form: "bfloat16" },
  { form: "int8" },
  { form: "int8", block: 32 },
  { form: "int8", block: 4096 },
  { form: "top-k", fraction: 0.05 },
  { form: "top-k", fraction: 1 },
];

describe("compressed updates", () => {
  it.each(forms)("as $form are folded as what they decode to, with the same bytes from every engine", async (form) => {
    const model = await writeModel("model.safetensors", 1);
    const updates = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const outPath = join(folder, `compressed-${seed}.safetensors`);
        const report = await compressUpdate({ ...form, source: await writeModel(`plain-${seed}.safetensors`, seed), outPath });
        return { outPath, report };
      }),
    );
    const hashes = new Set<string>();
    for (const engine of [
      new ExactJsEngine({ nowMs }),
      await WasmEngine.create({ nowMs }, { threads: 2 }),
      await WasmEngine.create({ nowMs }, { isSimdAllowed: false }),
    ]) {
      for (const isFile of [true, false]) {
        const session = await engine.open({ model, strategy: fedAvg(), paramsType: "FULL" });
        for (const [i, { outPath }] of updates.entries()) {
          await session.add({
            contributor: `site-${i}`,
            weight: i + 1,
            source: isFile ? outPath : await readFile(outPath),
            paramsType: "FULL",
          });
        }
        const { sha256 } = await session.finish({ outPath: join(folder, "out.safetensors") });
        hashes.add(sha256);
      }
      await engine.close();
    }
    expect(hashes.size).toBe(1);
    const out = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
    const plain = await Promise.all(
      [1, 2, 3].map(async (seed) => decodeSafetensors(await readFile(join(folder, `plain-${seed}.safetensors`)))),
    );
    const largest = Math.max(...updates.map(({ report }) => report.largestError));
    const wrong = [...(out.get("w")?.data ?? [])].findIndex((got, i) => {
      const mean = plain.reduce((sum, each, k) => sum + ((k + 1) * Number(each.get("w")?.data[i])) / 6, 0);
      return !(Math.abs(Number(got) - mean) <= largest + 1e-6 * Math.abs(mean));
    });
    expect(wrong).toBe(-1);
    expect(out.get("steps")?.data).toEqual(BigInt64Array.of(2n));
    expect(out.get("scalar")?.data[0]).toBeCloseTo(14 / 6, form.form === "int8" || form.form === "bfloat16" ? 1 : 3);
  });

  it("are smaller, and say what that cost", async () => {
    const source = await writeModel("model.safetensors", 1);
    const outPath = join(folder, "small.safetensors");
    const ratios = await Promise.all(
      forms.map(async (form, i) => {
        const { bytesIn, bytesOut, relativeError } = await compressUpdate({ ...form, source, outPath: `${outPath}-${i}` });
        return [bytesIn / bytesOut, relativeError] as const;
      }),
    );
    const [half, brain, int8, , coarse, sparse, all] = ratios;
    expect(half?.[0]).toBeCloseTo(2, 1);
    expect(half?.[1]).toBeLessThan(2 ** -11);
    expect(brain?.[1]).toBeLessThan(2 ** -8);
    expect(int8?.[0]).toBeGreaterThan(3.8);
    expect(int8?.[1]).toBeLessThan(0.01);
    expect(coarse?.[1]).toBeGreaterThanOrEqual(int8?.[1] ?? 0);
    expect(sparse?.[0]).toBeGreaterThan(9);
    expect(all?.[1]).toBe(0);
  });

  it.each([
    ["one block", [256, 256, 256, 256, 256]],
    ["blocks that differ", [256, 32, 256, 4096, 256]],
  ])("as int8 of %s have the same sums in float32, summed as they are stored or decoded to be checked", async (_what, blocks) => {
    const model = await writeModel("model.safetensors", 1);
    const updates = await Promise.all(
      blocks.map(async (block, i) => {
        const outPath = join(folder, `int8-${i}.safetensors`);
        const source = await writeModel(`plain-${i}.safetensors`, i);
        await compressUpdate({ form: "int8", block, source, outPath });
        return outPath;
      }),
    );
    const hashes = new Set<string>();
    for (const isSimdAllowed of [true, false]) {
      const engine = await WasmEngine.create({ nowMs }, { mode: "fast", isSimdAllowed });
      for (const check of ["add", "finish"] as const) {
        const session = await engine.open({ model, strategy: fedAvg(), paramsType: "FULL", check });
        for (const [i, source] of updates.entries())
          await session.add({ contributor: `site-${i}`, weight: i + 1, source, paramsType: "FULL" });
        hashes.add((await session.finish({ outPath: join(folder, "out.safetensors") })).sha256);
      }
      await engine.close();
    }
    expect(hashes.size).toBe(1);
  });

  it("as int8 have scales of few bits, so that products are exact, and lose half of a scale at most", async () => {
    const source = join(folder, "blocks.safetensors");
    const data = Float32Array.from({ length: 640 }, (_, i) => Math.sin(i * i + 1) * 10 ** ((i >> 5) - 44));
    await writeFile(source, encodeSafetensors([["w", { dtype: "F32", shape: [640], data }]]));
    const outPath = join(folder, "blocks.int8.safetensors");
    await compressUpdate({ source, outPath, form: "int8", block: 32 });
    const out = decodeSafetensors(await readFile(outPath));
    const scales = out.get("w::scale")?.data as Float32Array;
    const q = out.get("w")?.data as Int8Array;
    expect([...new Uint32Array(scales.slice().buffer)].every((bits, i) => (scales[i] ?? 0) < 2 ** -126 || bits % 2 ** 12 === 0)).toBe(true);
    for (const [i, value] of data.entries()) {
      const scale = scales[i >> 5] ?? 0;
      const product = scale * (q[i] ?? 0);
      expect(scale < 2 ** -126 || Math.fround(product) === product).toBe(true);
      expect(Math.abs(value - product)).toBeLessThanOrEqual(0.501 * scale + 127 * 2 ** -150);
    }
  });

  it("of top-k keep the largest, and as many as were asked for", async () => {
    const path = join(folder, "few.safetensors");
    const data = Float32Array.of(0, 5, -0.25, 5, -8, 0.125, 5, 1);
    await writeFile(path, encodeSafetensors([["w", { dtype: "F32", shape: [2, 4], data }]]));
    const outPath = join(folder, "top.safetensors");
    await compressUpdate({ source: path, outPath, form: "top-k", fraction: 0.375 });
    const out = decodeSafetensors(await readFile(outPath));
    expect([...(out.get("w::indices")?.data ?? [])]).toEqual([1, 3, 4]);
    expect([...(out.get("w")?.data ?? [])]).toEqual([5, 5, -8]);
  });

  it.each([
    [{ form: "int8", block: 33 }, 1e6, "aggregate/compression-invalid"],
    [{ form: "top-k", fraction: 0 }, 1e6, "aggregate/compression-invalid"],
    [{ form: "float16" }, 1e6, "aggregate/out-of-range"],
    [{ form: "bfloat16" }, -3.4e38, "aggregate/out-of-range"],
    [{ form: "int8" }, -3.4028234663852886e38, "aggregate/out-of-range"],
  ] as const)("of settings or values that cannot be are not made: %j of %d", async (form, value, code) => {
    const source = join(folder, "large.safetensors");
    await writeFile(source, encodeSafetensors([["w", { dtype: "F32", shape: [2], data: Float32Array.of(1, value) }]]));
    await expect(compressUpdate({ ...form, source, outPath: join(folder, "never.safetensors") })).rejects.toMatchObject({ code });
    expect((await readdir(folder)).filter((name) => name.startsWith("never"))).toEqual([]);
  });
});

describe("a compressed file that lies", () => {
  const f32 = (values: readonly number[]) => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) }) as const;
  const i32 = (values: readonly number[]) => ({ dtype: "I32", shape: [values.length], data: Int32Array.from(values) }) as const;
  const i8 = (count: number) => ({ dtype: "I8", shape: [count], data: new Int8Array(count) }) as const;
  const model = encodeSafetensors([["w", f32(Array.from({ length: 100 }, () => 0))]]);
  const marked = { "flare.compressed": "1", "flare.int8-block": "32" };

  it.each([
    [
      "an index beyond the tensor",
      [
        ["w", f32([1])],
        ["w::indices", i32([100])],
      ],
      marked,
    ],
    [
      "a negative index",
      [
        ["w", f32([1])],
        ["w::indices", i32([-1])],
      ],
      marked,
    ],
    [
      "indices that do not ascend",
      [
        ["w", f32([1, 2])],
        ["w::indices", i32([5, 5])],
      ],
      marked,
    ],
    [
      "fewer indices than values",
      [
        ["w", f32([1, 2])],
        ["w::indices", i32([5])],
      ],
      marked,
    ],
    [
      "too few scales",
      [
        ["w", i8(100)],
        ["w::scale", f32([1, 1, 1])],
      ],
      marked,
    ],
    [
      "a block that is no power of two",
      [
        ["w", i8(100)],
        ["w::scale", f32([1, 1, 1, 1])],
      ],
      { ...marked, "flare.int8-block": "33" },
    ],
    [
      "a version to come",
      [
        ["w", i8(100)],
        ["w::scale", f32([1, 1, 1, 1])],
      ],
      { ...marked, "flare.compressed": "2" },
    ],
  ] as const)("by %s is refused", async (_what, tensors, metadata) => {
    const engine = new ExactJsEngine({ nowMs });
    const path = join(folder, "model-of-100.safetensors");
    await writeFile(path, model);
    const session = await engine.open({ model: path, strategy: fedAvg(), paramsType: "FULL" });
    await expect(
      session.add({ contributor: "liar", weight: 1, source: encodeSafetensors(tensors, metadata), paramsType: "FULL" }),
    ).rejects.toMatchObject({ code: "aggregate/compression-invalid" });
    await session.discard();
  });

  it("is not taken for the model, whose types it does not have", async () => {
    const source = join(folder, "model-of-100.safetensors");
    await writeFile(source, model);
    const outPath = join(folder, "compressed-model.safetensors");
    await compressUpdate({ source, outPath, form: "int8" });
    await expect(new ExactJsEngine({ nowMs }).open({ model: outPath, strategy: fedAvg(), paramsType: "FULL" })).rejects.toMatchObject({
      code: "aggregate/compression-invalid",
    });
  });

  it("without saying that it is compressed is held to the model's own types", async () => {
    const path = join(folder, "model-of-100.safetensors");
    await writeFile(path, model);
    const session = await new ExactJsEngine({ nowMs }).open({ model: path, strategy: fedAvg(), paramsType: "FULL" });
    const short = encodeSafetensors([["w", { dtype: "F16", shape: [100], data: new Uint16Array(100) }]]);
    await expect(session.add({ contributor: "a", weight: 1, source: short, paramsType: "FULL" })).rejects.toMatchObject({
      code: "aggregate/layout-mismatch",
    });
    await session.discard();
  });
});

import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine } from "../aggregation-engine.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { buildHeader } from "../safetensors/build-header.js";
import type { TensorSpec } from "../safetensors/layout.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

/*
 * With FLARE_LARGE=1 models beyond 4 GiB, as files with holes, which take no room on a disk; new models do, 5 GiB, and the whole takes
 * a minute or two. Without it the same with small ones, so that the test itself does not rot.
 */
const isLarge = process.env["FLARE_LARGE"] === "1";

const nowMs = (): number => performance.now();
let folder = "";
const js = new ExactJsEngine({ nowMs });
let engines: readonly AggregationEngine[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-large-"));
  engines = [js, await WasmEngine.create({ nowMs }, { threads: 2 })];
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

interface Placed {
  readonly tensor: string;
  readonly element: number;
  readonly values: Float32Array;
}

/** A file of zeros, of which only some elements are written; the rest is a hole. */
async function fileWithHoles(name: string, tensors: readonly TensorSpec[], placed: readonly Placed[]): Promise<string> {
  const path = join(folder, name);
  const { bytes, layout } = buildHeader(tensors);
  const file = await open(path, "w");
  try {
    await file.write(bytes, 0, bytes.byteLength, 0);
    await file.truncate(layout.totalBytes);
    for (const { tensor, element, values } of placed) {
      const place = layout.tensors.find((each) => each.name === tensor);
      const position = layout.dataOffset + (place?.byteOffset ?? Number.NaN) + 4 * element;
      await file.write(new Uint8Array(values.buffer), 0, values.byteLength, position);
    }
  } finally {
    await file.close();
  }
  return path;
}

/** 1 GiB, or what stands for it. */
const gib = isLarge ? 2 ** 30 : 2 ** 18;
const f32 = (name: string, elements: number): TensorSpec => ({ name, dtype: "F32", shape: [elements] });

describe(`files ${isLarge ? "beyond" : "that stand for some beyond"} 4 GiB`, () => {
  it("are read to their last byte, and a tensor behind 2^32 bytes is folded", async () => {
    const tensors = [f32("first", gib), f32("beyond", 0.25 * gib + 5), f32("tail", 33)];
    const tail = (factor: number): Placed => ({
      tensor: "tail",
      element: 0,
      values: Float32Array.from({ length: 33 }, (_, i) => factor * i),
    });
    const model = await fileWithHoles("model.safetensors", tensors, []);
    const layout = await readSafetensorsHeader(model);
    expect(layout.totalBytes).toBeGreaterThan(5 * gib);
    expect((await stat(model)).blocks * 512).toBeLessThan(gib);
    const paths = await Promise.all([1, 3].map((factor) => fileWithHoles(`${factor}.safetensors`, tensors, [tail(factor)])));
    const wrong = await fileWithHoles("wrong.safetensors", tensors, [{ tensor: "tail", element: 32, values: Float32Array.of(Number.NaN) }]);
    for (const engine of engines) {
      const session = await engine.open({ model, strategy: fedAvg(), paramsType: "FULL" });
      await expect(session.add({ contributor: "wrong", weight: 1, source: wrong, paramsType: "FULL" })).rejects.toMatchObject({
        code: "aggregate/not-finite",
        facts: { tensor: "tail" },
        message: expect.stringContaining("at element 32"),
      });
      await session.discard();
    }
    // Folded once, by the engine that is meant for it: the output takes as much room as the model.
    const wasm = engines[1] ?? js;
    const session = await wasm.open({ model, strategy: fedAvg(), paramsType: "FULL", check: "finish" });
    for (const [i, source] of paths.entries()) await session.add({ contributor: `site-${i}`, weight: 1, source, paramsType: "FULL" });
    const outPath = join(folder, "out.safetensors");
    const report = await session.finish({ outPath, isDurable: false });
    expect(report.bytesOut).toBe(layout.totalBytes);
    expect(await lastFloats(outPath, 33)).toEqual(Array.from({ length: 33 }, (_, i) => 2 * i));
    await rm(outPath);
  }, 600_000);

  it("hold tensors of more than 2^31 bytes", async () => {
    const elements = 0.5 * gib + 16_385;
    const tensors = [f32("huge", elements), f32("small", 3)];
    const model = await fileWithHoles("huge.safetensors", tensors, []);
    // Around byte 2^31 of the tensor, and its last elements.
    const placed = [0.5 * gib - 2, elements - 1].map((element) => ({ tensor: "huge", element, values: Float32Array.of(6) }));
    const source = await fileWithHoles("update.safetensors", tensors, placed);
    const hashes = new Set<string>();
    for (const engine of engines) {
      const session = await engine.open({ model, strategy: fedAvg(), paramsType: "DIFF" });
      await session.add({ contributor: "a", weight: 3, source, paramsType: "DIFF" });
      await session.add({ contributor: "b", weight: 1, source: model, paramsType: "DIFF" });
      const outPath = join(folder, "out.safetensors");
      hashes.add((await session.finish({ outPath, base: model, isDurable: false })).sha256);
      const { dataOffset } = await readSafetensorsHeader(outPath);
      const file = await open(outPath);
      const read = async (element: number): Promise<number> => {
        const { buffer } = await file.read(new Uint8Array(4), 0, 4, dataOffset + 4 * element);
        return new Float32Array(buffer.buffer)[0] ?? Number.NaN;
      };
      expect(await Promise.all([0.5 * gib - 3, 0.5 * gib - 2, 0.5 * gib - 1, elements - 1].map(read))).toEqual([0, 4.5, 0, 4.5]);
      await file.close();
      await rm(outPath);
    }
    expect(hashes.size).toBe(1);
  }, 600_000);
});

async function lastFloats(path: string, count: number): Promise<number[]> {
  const { size } = await stat(path);
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(4 * count), 0, 4 * count, size - 4 * count);
    return [...new Float32Array(buffer.buffer)];
  } finally {
    await file.close();
  }
}

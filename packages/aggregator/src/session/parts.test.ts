import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationReport } from "../aggregation-engine.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { fedAvgM } from "../strategies/fed-avg-m.js";
import { krum } from "../strategies/krum.js";
import { coordinateMedian } from "../strategies/median.js";
import type { Strategy } from "../strategies/strategy.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
let model = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-parts-"));
  model = join(folder, "model.safetensors");
  await writeFile(model, file([0, 0, 0, 0]));
});
afterAll(() => rm(folder, { recursive: true }));

/** Parts take turns in the file: a.1 and b.1, a.2 and b.2. */
function file(values: readonly number[]): Uint8Array {
  const names = ["a.1", "b.1", "a.2", "b.2"];
  return encodeSafetensors(
    names.map((name, i): [string, Tensor] => [name, { dtype: "F32", shape: [1], data: Float32Array.of(values[i] ?? Number.NaN) }]),
  );
}

const withMedianOfB: Strategy = { ...fedAvg(), parts: [{ has: ({ name }) => name.startsWith("b."), strategy: coordinateMedian() }] };

const everywhere = (): boolean => true;
const unfit: readonly (readonly [string, Strategy])[] = [
  ["measures distances", { ...fedAvg(), parts: [{ has: everywhere, strategy: krum({ byzantine: 0 }) }] }],
  ["keeps state", { ...fedAvgM(), parts: [{ has: everywhere, strategy: fedAvg() }] }],
  ["wants other updates", { ...fedAvg(), parts: [{ has: everywhere, strategy: { ...fedAvg(), needs: { paramsType: "DIFF" } } }] }],
];

describe.each([
  ["js", async () => new ExactJsEngine({ nowMs })],
  ["wasm", () => WasmEngine.create({ nowMs })],
])("a strategy with parts on engine %s", (_name, create: () => Promise<AggregationEngine>) => {
  async function aggregate(check: "add" | "finish"): Promise<{ report: AggregationReport; values: readonly number[] }> {
    const engine = await create();
    try {
      const session = await engine.open({ model, strategy: withMedianOfB, paramsType: "FULL", check });
      for (const [i, value] of [1, 2, 9].entries()) {
        const source = file([value, value, 2 * value, 2 * value]);
        await session.add({ contributor: `site-${i}`, weight: 1, paramsType: "FULL", source });
      }
      const outPath = join(folder, "out.safetensors");
      const report = await session.finish({ outPath, isDurable: false });
      const values = [...decodeSafetensors(await readFile(outPath)).values()].map(({ data }) => Number(data[0]));
      return { report, values };
    } finally {
      await engine.close();
    }
  }

  it.each(["add", "finish"] as const)("combines each tensor in the way of its part, with values checked on %s", async (check) => {
    const { report, values } = await aggregate(check);
    expect(values).toEqual([4, 2, 8, 4]);
    expect(report).toMatchObject({ strategy: "fed-avg", partialTensors: [], skippedTensors: [] });
    expect(report.contributors.map(({ contributor, weight }) => [contributor, weight])).toEqual([
      ["site-0", 1],
      ["site-1", 1],
      ["site-2", 1],
    ]);
    expect(report.contributors[0]?.norm).toBeCloseTo(Math.sqrt(1 + 1 + 4 + 4), 12);
  });

  it.each(unfit)("is refused where one of them %s", async (_what, strategy) => {
    const engine = await create();
    await expect(engine.open({ model, strategy, paramsType: "FULL" })).rejects.toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit" }),
    );
    await engine.close();
  });

  it("is refused where a scale was announced", async () => {
    const engine = await create();
    const scale = { gridBits: { "a.1": 20, "b.1": 20, "a.2": 20, "b.2": 20 } };
    await expect(engine.open({ model, strategy: withMedianOfB, paramsType: "FULL", scale })).rejects.toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit" }),
    );
    await engine.close();
  });
});

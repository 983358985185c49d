import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, ParamsType } from "../aggregation-engine.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { customStrategy } from "../strategies/custom.js";
import { krum } from "../strategies/krum.js";
import type { Share, Strategy } from "../strategies/strategy.js";
import { isFloatDtype, type Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
let model = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-left-out-"));
  model = join(folder, "model.safetensors");
  await writeFile(model, encodeSafetensors([floats(0, 0), count(5)]));
});
afterAll(() => rm(folder, { recursive: true }));

type Named = readonly [string, Tensor];
const floats = (...values: number[]): Named => ["w", { dtype: "F32", shape: [2], data: Float32Array.from(values) }];
const count = (value: number): Named => ["n", { dtype: "I32", shape: [1], data: Int32Array.of(value) }];

/** Two that are near each other, and one that is far off and alone has the integer tensor. */
const updates = [[floats(1, 1)], [floats(1, 1)], [floats(9, 2), count(8)]] as const;

const sharing = (combine: Strategy["combine"], shareOf: (index: number) => Share): Strategy =>
  customStrategy({ name: "mine", combine, weigh: ({ contributors }) => contributors.map((_, index) => shareOf(index)) });

describe.each([
  ["js", async () => new ExactJsEngine({ nowMs })],
  ["wasm", () => WasmEngine.create({ nowMs })],
])("engine %s", (_name, create: () => Promise<AggregationEngine>) => {
  async function aggregate(
    strategy: Strategy,
    { paramsType = "FULL", base }: { readonly paramsType?: ParamsType; readonly base?: string } = {},
  ): Promise<Record<string, readonly number[]>> {
    const engine = await create();
    const session = await engine.open({ model, strategy, paramsType });
    try {
      for (const [i, tensors] of updates.entries())
        await session.add({ contributor: `site-${i}`, weight: 1, paramsType, source: encodeSafetensors(tensors) });
      const outPath = join(folder, "out.safetensors");
      await session.finish({ outPath, base, isDurable: false });
      const tensors = decodeSafetensors(await readFile(outPath));
      return Object.fromEntries([...tensors].map(([name, { data }]) => [name, Array.from(data, Number)]));
    } finally {
      await session.discard();
      await engine.close();
    }
  }

  it("leaves out a tensor that only those have whom the strategy left out, as if nobody had sent it", async () => {
    expect(await aggregate(krum({ byzantine: 0 }))).toEqual({ w: [1, 1] });
    expect(await aggregate(krum({ byzantine: 0 }), { base: model })).toEqual({ w: [1, 1], n: [5] });
  });

  it("asks for the base where a strategy leaves tensors as the base has them", async () => {
    const strategy = customStrategy({ name: "mine", combines: ({ dtype }) => isFloatDtype(dtype) });
    await expect(aggregate(strategy)).rejects.toMatchObject({ code: "aggregate/base-missing" });
    expect((await aggregate(strategy, { base: model }))["n"]).toEqual([5]);
  });

  it("divides by the strategy's own divisor whatever the weights, and has no mean of integers without any", async () => {
    const strategy = sharing({ kind: "mean", divisor: 2 }, () => ({ factor: 1, weight: 0 }));
    expect(await aggregate(strategy, { paramsType: "DIFF", base: model })).toEqual({ w: [5.5, 2], n: [5] });
  });

  it("refuses a strategy that leaves everybody out, with a divisor of its own too", async () => {
    const strategy = sharing({ kind: "mean", divisor: 2 }, () => ({ factor: 0, weight: 0 }));
    await expect(aggregate(strategy, { base: model })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, ParamsType } from "../aggregation-engine.js";
import { compressUpdate } from "../compression/compress-update.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { multiKrum } from "../strategies/krum.js";
import { coordinateMedian } from "../strategies/median.js";
import type { Strategy } from "../strategies/strategy.js";
import { trimmedMean } from "../strategies/trimmed-mean.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "./wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-inputs-"));
});
afterAll(() => rm(folder, { recursive: true }));

const values = (count: number, seed: number): Float64Array => Float64Array.from({ length: count }, (_, i) => Math.sin(seed * 7.1 + i));

interface Round {
  readonly strategy: Strategy;
  readonly paramsType: ParamsType;
  readonly model: string;
  readonly files: readonly string[];
}

async function hashOf(engine: AggregationEngine, { strategy, paramsType, model, files }: Round): Promise<string> {
  const session = await engine.open({ model, strategy, paramsType, check: "finish" });
  try {
    for (const [i, source] of files.entries()) await session.add({ contributor: `site-${i}`, weight: i + 1, source, paramsType });
    return (await session.finish({ outPath: join(folder, "out.safetensors"), base: model, isDurable: false })).sha256;
  } finally {
    await session.discard();
  }
}

/** By plain JavaScript, and by kernels on one thread and on two. */
async function allHashes(round: Round): Promise<readonly string[]> {
  const hashes = [await hashOf(new ExactJsEngine({ nowMs }), round)];
  for (const threads of [1, 2]) {
    const engine = await WasmEngine.create({ nowMs }, { threads });
    try {
      hashes.push(await hashOf(engine, round));
    } finally {
      await engine.close();
    }
  }
  return hashes;
}

describe("what threads hold at once has room", () => {
  it("of the base, also where many small tensors of float64 do not lie together in its file", async () => {
    const write = async (seed: number): Promise<string> => {
      const path = join(folder, `model-${seed}.safetensors`);
      const tensors = Array.from({ length: 600 }, (_, i): readonly (readonly [string, Tensor])[] => [
        [`${i}.mean`, { dtype: "F64", shape: [65], data: values(65, seed + i) }],
        [`${i}.batches`, { dtype: "I32", shape: [], data: Int32Array.of(seed) }],
      ]);
      await writeFile(path, encodeSafetensors(tensors.flat()));
      return path;
    };
    const files = [await write(1), await write(2)];
    const [expected, ...hashes] = await allHashes({ strategy: fedAvg(), paramsType: "DIFF", model: await write(0), files });
    expect(hashes).toEqual([expected, expected]);
  });

  it("of sums that are finished later, beside those that are finished as they are made", async () => {
    const write = async (seed: number): Promise<string> => {
      const path = join(folder, `mixed-${seed}.safetensors`);
      const tensors = Array.from({ length: 8 }, (_, i): readonly [string, Tensor] => {
        const data = values(700, seed + i);
        return [`${i}`, i % 2 === 0 ? { dtype: "F64", shape: [700], data } : { dtype: "F32", shape: [700], data: Float32Array.from(data) }];
      });
      await writeFile(path, encodeSafetensors(tensors));
      return path;
    };
    const files = [await write(1), await write(2), await write(3)];
    const [expected, ...hashes] = await allHashes({ strategy: fedAvg(), paramsType: "FULL", model: await write(0), files });
    expect(hashes).toEqual([expected, expected]);
  });

  describe("of sparse values, whose blocks are read whole also for a part of one", () => {
    const round = { paramsType: "DIFF" as const, model: "", files: [] as string[] };
    beforeAll(async () => {
      for (let seed = 0; seed <= 40; seed++) {
        const [source, outPath] = [join(folder, `plain-${seed}.safetensors`), join(folder, `sparse-${seed}.safetensors`)];
        await writeFile(
          source,
          encodeSafetensors([["w", { dtype: "F32", shape: [20_000], data: Float32Array.from(values(20_000, seed)) }]]),
        );
        if (seed === 0) round.model = source;
        else {
          await compressUpdate({ source, outPath, form: "top-k", fraction: 0.95, isDurable: false });
          round.files.push(outPath);
        }
      }
    });

    it.each([coordinateMedian(), trimmedMean({ fraction: 0.1 }), multiKrum({ byzantine: 3 })])("by $name", async (strategy) => {
      const [expected, ...hashes] = await allHashes({ ...round, strategy });
      expect(hashes).toEqual([expected, expected]);
    });
  });
});

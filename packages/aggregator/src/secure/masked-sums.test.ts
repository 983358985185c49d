import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationReport, ParamsType } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";
import type { Mask } from "./mask.js";
import { maskUpdate } from "./mask-update.js";
import { unmaskSums } from "./unmask-sums.js";

const nowMs = (): number => performance.now();
let folder = "";
const js = new ExactJsEngine({ nowMs });
let engines: readonly AggregationEngine[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-masked-"));
  engines = [js, await WasmEngine.create({ nowMs }, { threads: 2 })];
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

const at = (file: string): string => join(folder, `${file}.safetensors`);
const maxWeight = 1000;

interface Sent {
  readonly contributor: string;
  readonly weight: number;
  readonly source: string;
}

/** The masks of a round in which everybody was asked: a self mask for each, and one for each pair, which cancels where both are in. */
function masksOf(asked: number): { of: (site: number) => Mask[]; left: (present: readonly number[]) => Mask[] } {
  const seeds = Array.from({ length: asked }, () => Array.from({ length: asked }, () => randomBytes(32)));
  const self = (i: number): Mask => ({ seed: seeds[i]?.[i] ?? Buffer.alloc(0), sign: 1 });
  const pair = (i: number, j: number): Mask => ({ seed: seeds[Math.min(i, j)]?.[Math.max(i, j)] ?? Buffer.alloc(0), sign: i < j ? 1 : -1 });
  const all = Array.from({ length: asked }, (_, i) => i);
  return {
    of: (i) => [self(i), ...all.filter((j) => j !== i).map((j) => pair(i, j))],
    left: (present) => [...present.map(self), ...present.flatMap((i) => all.filter((j) => !present.includes(j)).map((j) => pair(i, j)))],
  };
}

const shape = fc.oneof(fc.constant([]), fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 }), fc.constant([16_501]));
const round = fc.boolean().chain((isWhole) =>
  fc.record({
    tensors: fc.array(
      fc.record({
        dtype: fc.constantFrom(...(["F32", "F16", "BF16", "F64", ...(isWhole ? (["I64", "I32", "U8", "BOOL"] as const) : [])] as const)),
        shape,
      }),
      { minLength: 1, maxLength: 6 },
    ),
    weights: fc.array(isWhole ? fc.integer({ min: 1, max: maxWeight }) : fc.integer({ min: 1, max: 2 ** 29 }).map((n) => n * 2 ** -20), {
      minLength: 1,
      maxLength: 20,
    }),
    dropped: fc.nat(3),
    seed: fc.nat(999),
    absence: fc.constantFrom(0, 0.4),
    paramsType: fc.constantFrom<ParamsType[]>("FULL", "DIFF"),
  }),
);

describe("masked updates", () => {
  it("give the bytes of exact FedAvg with the announced scale, whoever dropped out and whatever was left out", async () => {
    await fc.assert(
      fc.asyncProperty(round, async ({ tensors, weights, dropped, seed, absence, paramsType }) => {
        const model = at("model");
        const of = (by: number): [string, Tensor][] => tensors.map(({ dtype, shape: dims }, t) => [`t${t}`, tensorOf(dtype, dims, by + t)]);
        // The model's truth values are 0: a difference of 1 to 1 is none.
        const begun = of(seed).map(
          ([name, { dtype, shape: dims, data }]) =>
            [name, { dtype, shape: dims, data: dtype === "BOOL" ? data.fill(0 as never) : data }] as const,
        );
        await writeFile(model, encodeSafetensors(begun));
        const scale = await announceScale({ model, maxWeight });
        const updates: Sent[] = [];
        for (const [i, weight] of weights.entries()) {
          const all = of(seed + 13 * i + 1);
          const some = all.filter((_, t) => (Math.abs(valueOf(i, t + 3)) * 977) % 1 >= absence);
          const source = at(`update-${i}`);
          await writeFile(source, encodeSafetensors(some.length > 0 ? some : all.slice(0, 1)));
          updates.push({ contributor: `site-${i}`, weight, source });
        }
        const strategy = fedAvg();
        const flatly = await js.open({ model, scale, strategy, paramsType });
        for (const update of updates) await flatly.add({ ...update, paramsType });
        const flat = await flatly.finish({ outPath: at("flat"), base: model, isDurable: false });

        const masks = masksOf(updates.length + dropped);
        const masked: { contributor: string; path: string }[] = [];
        for (const [i, { contributor, source, weight }] of updates.entries()) {
          const path = at(`masked-${i}`);
          await maskUpdate({
            model,
            source,
            contributor,
            weight,
            paramsType,
            scale,
            maxWeight,
            masks: masks.of(i),
            outPath: path,
            isDurable: false,
          });
          masked.unshift({ contributor, path });
        }
        const outPath = at("sums");
        const left = masks.left([...updates.keys()]);
        await unmaskSums({ model, strategy, paramsType, scale, maxWeight, masked, masks: left, outPath, isDurable: false });
        for (const engine of engines) {
          const session = await engine.open({ model, scale, strategy, paramsType });
          await session.addSums(outPath);
          const report: AggregationReport = await session.finish({ outPath: at("out"), base: model, isDurable: false });
          expect(report.sha256).toBe(flat.sha256);
          expect(report.contributors).toEqual([]);
          expect(report.skippedTensors).toEqual(flat.skippedTensors);
          expect(report.together[0]?.contributors).toEqual(flat.contributors.map(({ contributor }) => contributor));
        }
      }),
      { numRuns: 25 },
    );
  });
});

function valueOf(seed: number, i: number): number {
  return Math.sin(seed * 12.9898 + i * 78.233) * 10 ** ((i + seed) % 4);
}

function tensorOf(dtype: string, dims: readonly number[], seed: number): Tensor {
  const length = dims.reduce((a, b) => a * b, 1);
  const each = <T>(make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
  const values = (i: number): number => valueOf(seed, i);
  const data: Readonly<Record<string, () => Tensor["data"]>> = {
    F64: () => Float64Array.from(each(values)),
    F32: () => Float32Array.from(each(values)),
    F16: () => Uint16Array.from(each((i) => 0x3000 + (Math.abs(Math.floor(values(i) * 97)) % 0x0fff) + (i % 2) * 0x8000)),
    BF16: () => Uint16Array.from(each((i) => 0x3e00 + (Math.abs(Math.floor(values(i) * 97)) % 0x01ff) + (i % 3 === 0 ? 0x8000 : 0))),
    I64: () => BigInt64Array.from(each((i) => BigInt(Math.floor(values(i) * 2 ** 30)))),
    I32: () => Int32Array.from(each((i) => Math.floor(values(i) * 2 ** 20))),
    U8: () => Uint8Array.from(each((i) => Math.floor(Math.abs(values(i))) % 100)),
    BOOL: () => Uint8Array.from(each((i) => Math.floor(Math.abs(values(i))) % 2)),
  };
  return { dtype: dtype as Tensor["dtype"], shape: dims, data: data[dtype]?.() ?? new Float32Array(0) };
}

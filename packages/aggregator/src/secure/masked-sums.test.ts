import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationReport, ParamsType } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { type CompressUpdateInit, compressUpdate } from "../compression/compress-update.js";
import type { ExactScale } from "../exact/exact-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { fedAvgM } from "../strategies/fed-avg-m.js";
import { fedOpt } from "../strategies/fed-opt.js";
import { fedProx } from "../strategies/fed-prox.js";
import type { Strategy } from "../strategies/strategy.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";
import { maskUpdate } from "./mask-update.js";
import { RoundMasks } from "./masked-round.test-support.js";
import { type MaskedFile, unmaskSums } from "./unmask-sums.js";

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

interface Round {
  readonly scale: ExactScale;
  readonly strategy: Strategy;
  readonly paramsType: ParamsType;
  readonly updates: readonly Sent[];
  /** Sites that were asked and sent nothing. */
  readonly dropped?: number;
}

const model = (): string => at("model");

/** Masks the updates, unmasks their sum, and gives what the session of an engine makes of it. */
async function maskedly({ scale, strategy, paramsType, updates, dropped = 0 }: Round): Promise<readonly AggregationReport[]> {
  const announced = { model: model(), paramsType, scale, maxWeight };
  const masks = new RoundMasks(updates.length + dropped);
  const masked: MaskedFile[] = [];
  for (const [i, sent] of updates.entries()) {
    const path = at(`masked-${i}`);
    await maskUpdate({ ...announced, ...sent, masks: masks.of(i), outPath: path, isDurable: false });
    masked.splice((7 * i) % (masked.length + 1), 0, { contributor: sent.contributor, path });
  }
  const left = masks.left([...updates.keys()]);
  await unmaskSums({ ...announced, strategy, masked, masks: left, outPath: at("sums"), isDurable: false });
  const reports: AggregationReport[] = [];
  for (const engine of engines) {
    const session = await engine.open({ model: model(), scale, strategy, paramsType });
    await session.addSums(at("sums"));
    reports.push(await session.finish({ outPath: at("out"), base: model(), isDurable: false, state: { to: at("state") } }));
  }
  return reports;
}

async function flatly({ scale, strategy, paramsType, updates }: Round): Promise<AggregationReport> {
  const session = await js.open({ model: model(), scale, strategy, paramsType });
  for (const update of updates) await session.add({ ...update, paramsType });
  return session.finish({ outPath: at("flat"), base: model(), isDurable: false, state: { to: at("flat-state") } });
}

describe("masked updates", () => {
  it("give the bytes of exact FedAvg with the announced scale, whoever dropped out and whatever was left out", async () => {
    await fc.assert(
      fc.asyncProperty(round, async ({ tensors, weights, dropped, seed, absence, paramsType }) => {
        const of = (by: number): [string, Tensor][] => tensors.map(({ dtype, shape: dims }, t) => [`t${t}`, tensorOf(dtype, dims, by + t)]);
        // The model's truth values are 0: a difference of 1 to 1 is none.
        const begun = of(seed).map(
          ([name, { dtype, shape: dims, data }]) =>
            [name, { dtype, shape: dims, data: dtype === "BOOL" ? data.fill(0 as never) : data }] as const,
        );
        await writeFile(model(), encodeSafetensors(begun));
        const scale = await announceScale({ model: model(), maxWeight });
        const updates: Sent[] = [];
        const lacking: string[][] = [];
        for (const [i, weight] of weights.entries()) {
          const all = of(seed + 13 * i + 1);
          const some = all.filter((_, t) => (Math.abs(valueOf(i, t + 3)) * 977) % 1 >= absence);
          const kept = some.length > 0 ? some : all.slice(0, 1);
          lacking.push(all.map(([name]) => name).filter((name) => !kept.some(([other]) => other === name)));
          await writeFile(at(`update-${i}`), encodeSafetensors(kept));
          updates.push({ contributor: `site-${i}`, weight, source: at(`update-${i}`) });
        }
        const given = { scale, strategy: fedAvg(), paramsType, updates, dropped };
        const flat = await flatly(given);
        const weightOf = (name: string): number => weights.reduce((sum, weight, i) => sum + (lacking[i]?.includes(name) ? 0 : weight), 0);
        const most = Math.max(...begun.map(([name]) => weightOf(name)));
        for (const report of await maskedly(given)) {
          expect(report.sha256).toBe(flat.sha256);
          expect(report.skippedTensors).toEqual(flat.skippedTensors);
          expect([report.contributors, report.partialTensors]).toEqual([[], []]);
          const [together] = report.together;
          expect(together?.contributors).toEqual(flat.contributors.map(({ contributor }) => contributor));
          expect(together?.weight).toBe(most);
          expect(together?.partialTensors).toEqual(
            begun.flatMap(([name]) => (weightOf(name) > 0 && weightOf(name) < most ? [{ tensor: name, weight: weightOf(name) }] : [])),
          );
        }
      }),
      { numRuns: 25 },
    );
  });

  const wide = (seed: number, length = 40_001): Tensor => tensorOf("F32", [length], seed);

  it.each<[string, () => Strategy, ParamsType]>([
    ["fed-avg-m", () => fedAvgM({ learningRate: 0.5, momentum: 0.9 }), "DIFF"],
    ["fed-opt", () => fedOpt({ optimizer: "adam", learningRate: 0.1 }), "FULL"],
    ["fed-prox", () => fedProx({ mu: 0.1 }), "FULL"],
  ])("take the server step of %s to the same bytes", async (_name, strategy, paramsType) => {
    await writeFile(model(), encodeSafetensors([["w", wide(1)]]));
    const updates = [3, 11, 500].map((weight, i) => ({ contributor: `site-${i}`, weight, source: at(`update-${i}`) }));
    for (const [i, { source }] of updates.entries()) await writeFile(source, encodeSafetensors([["w", wide(i + 2)]]));
    const given = { scale: await announceScale({ model: model(), maxWeight }), strategy: strategy(), paramsType, updates };
    const flat = await flatly(given);
    for (const { sha256 } of await maskedly(given)) expect(sha256).toBe(flat.sha256);
  });

  let made: readonly [Uint8Array, ...Uint8Array[]] | undefined;
  /** A model and two updates of it, of more elements and of more tensors than one batch takes. */
  const longModels = (): readonly [Uint8Array, ...Uint8Array[]] => {
    const small = (seed: number): [string, Tensor][] => Array.from({ length: 1100 }, (_, i) => [`small${i}`, wide(seed + i, 3)]);
    const of = (seed: number): Uint8Array => encodeSafetensors([["w", wide(seed, 300_001)], ...small(seed)]);
    made ??= [of(1), of(2), of(3)];
    return made;
  };

  it.each<Omit<CompressUpdateInit, "source" | "outPath">>([
    { form: "float16" },
    { form: "bfloat16" },
    { form: "int8", block: 32 },
    { form: "top-k", fraction: 1 },
    { form: "top-k", fraction: 0.01 },
  ])("may be made of compressed ones: $form, $fraction", async (form) => {
    await writeFile(model(), longModels()[0]);
    const updates = [3, 11].map((weight, i) => ({ contributor: `site-${i}`, weight, source: at(`update-${i}`) }));
    for (const [i, { source }] of updates.entries()) {
      await writeFile(at("plain"), longModels()[i + 1] ?? "");
      await compressUpdate({ ...form, source: at("plain"), outPath: source });
    }
    const given = { scale: await announceScale({ model: model(), maxWeight }), strategy: fedAvg(), paramsType: "FULL" as const, updates };
    const flat = await flatly(given);
    for (const { sha256 } of await maskedly(given)) expect(sha256).toBe(flat.sha256);
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

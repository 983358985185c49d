import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationReport, ParamsType } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { type ExactScale, maxContributors } from "../exact/exact-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import type { Strategy } from "../strategies/strategy.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
const js = new ExactJsEngine({ nowMs });
let engines: readonly AggregationEngine[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-trees-"));
  const kernels = await Promise.all([1, 2, 3].map((threads) => WasmEngine.create({ nowMs }, { threads })));
  engines = [js, ...kernels];
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

/** Contributors by number, and groups of them that are summed elsewhere. */
type Tree = readonly (number | Tree)[];

interface Sent {
  readonly contributor: string;
  readonly weight: number;
  readonly source: Uint8Array;
}

interface Round {
  readonly model: string;
  readonly scale: ExactScale;
  readonly strategy: Strategy;
  readonly paramsType: ParamsType;
  readonly updates: readonly Sent[];
}

/** Folds a tree: leaves are added, groups come as sums, each made by the next engine in turn. */
class Folding {
  readonly #round: Round;
  #files = 0;

  constructor(round: Round) {
    this.#round = round;
  }

  async model(tree: Tree, engine: AggregationEngine): Promise<AggregationReport> {
    const session = await this.#session(tree, engine);
    const report = await session.finish({ outPath: join(folder, "out.safetensors"), base: this.#round.model, isDurable: false });
    return report;
  }

  async #session(tree: Tree, engine: AggregationEngine): ReturnType<AggregationEngine["open"]> {
    const { model, scale, strategy, paramsType, updates } = this.#round;
    const sums = await Promise.all(tree.flatMap((each) => (typeof each === "number" ? [] : [this.#sums(each)])));
    const session = await engine.open({ model, scale, strategy, paramsType, check: this.#files % 2 === 0 ? "add" : "finish" });
    const adding = tree.flatMap((each) => {
      const update = typeof each === "number" ? updates[each] : undefined;
      return update === undefined ? [] : [session.add({ ...update, paramsType })];
    });
    await Promise.all([...adding, ...sums.map((path) => session.addSums(path))]);
    return session;
  }

  async #sums(tree: Tree): Promise<string> {
    const at = this.#files++;
    const engine = engines[at % engines.length] ?? js;
    const session = await this.#session(tree, engine);
    const outPath = join(folder, `sums-${at}.safetensors`);
    await session.finishSums({ outPath, isDurable: false });
    return outPath;
  }
}

/** Deals out contributors to a tree of at most so many levels, as the choices say. */
function treeOf(contributors: readonly number[], levels: number, choices: readonly number[]): Tree {
  if (levels === 0 || contributors.length < 2) return contributors;
  const groups = new Map<number, number[]>();
  const rest: number[] = [];
  for (const [i, contributor] of contributors.entries()) {
    const choice = (choices[(i + 7 * levels) % choices.length] ?? 0) % 4;
    if (choice === 3) rest.push(contributor);
    else groups.set(choice, [...(groups.get(choice) ?? []), contributor]);
  }
  return [...rest, ...[...groups.values()].map((group) => treeOf(group, levels - 1, choices))];
}

const shape = fc.oneof(fc.constant([]), fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 }), fc.constant([16_500]));
const wholeWeight = fc.integer({ min: 1, max: 1000 });
const brokenWeight = fc.double({ min: 2 ** -30, max: 1000, noNaN: true });

const round = fc.boolean().chain((isWhole) =>
  fc.record({
    tensors: fc.array(
      fc.record({
        dtype: fc.constantFrom(...(["F32", "F16", "BF16", "F64", ...(isWhole ? (["I64", "U8"] as const) : [])] as const)),
        shape,
      }),
      { minLength: 1, maxLength: 5 },
    ),
    weights: fc.array(isWhole ? wholeWeight : brokenWeight, { minLength: 1, maxLength: 20 }),
    seed: fc.nat(),
    absence: fc.constantFrom(0, 0.4),
    levels: fc.integer({ min: 1, max: 4 }),
    choices: fc.array(fc.nat(3), { minLength: 40, maxLength: 40 }),
    paramsType: fc.constantFrom<ParamsType[]>("FULL", "DIFF"),
    strategy: fc.constantFrom(fedAvg(), halves),
  }),
);

/** Each change counts half, and old ones less: shares that follow from each contributor alone. */
const halves: Strategy = {
  name: "halves",
  settings: {},
  needs: {},
  combine: { kind: "mean" },
  isSeparable: true,
  weigh: ({ contributors }) => contributors.map(({ weight }) => ({ factor: weight / 2, weight })),
};

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
    U8: () => Uint8Array.from(each((i) => Math.floor(Math.abs(values(i))) % 100)),
  };
  return { dtype: dtype as Tensor["dtype"], shape: dims, data: data[dtype]?.() ?? new Float32Array(0) };
}

describe("a tree of sums", () => {
  it("of any shape, from any engines, gives the bytes of one flat aggregation", async () => {
    let levels = 0;
    await fc.assert(
      fc.asyncProperty(round, async ({ tensors, weights, seed, absence, levels: most, choices, paramsType, strategy }) => {
        const model = join(folder, "model.safetensors");
        const of = (by: number): [string, Tensor][] => tensors.map(({ dtype, shape: dims }, t) => [`t${t}`, tensorOf(dtype, dims, by + t)]);
        await writeFile(model, encodeSafetensors(of(seed % 1000)));
        const scale = await announceScale({ model, maxWeight: 1000 });
        const updates = weights.map((weight, i): Sent => {
          const all = of((seed % 1000) + 13 * i + 1);
          const some = all.filter((_, t) => (Math.abs(valueOf(i, t + 3)) * 977) % 1 >= absence);
          return { contributor: `site-${i}`, weight, source: encodeSafetensors(some.length > 0 ? some : all.slice(0, 1)) };
        });
        const folding = new Folding({ model, scale, strategy, paramsType, updates });
        const flat = await folding.model([...updates.keys()], js);
        const tree = treeOf([...updates.keys()], most, choices);
        levels = Math.max(levels, depthOf(tree));
        for (const engine of engines) {
          const report = await folding.model(tree, engine);
          expect(report.sha256).toBe(flat.sha256);
          const named = ({ contributors }: AggregationReport): unknown => contributors.map((each) => ({ ...each, norm: undefined }));
          expect(named(report)).toEqual(named(flat));
          expect([report.partialTensors, report.skippedTensors]).toEqual([flat.partialTensors, flat.skippedTensors]);
        }
      }),
      { numRuns: 15 },
    );
    expect(levels).toBeGreaterThan(2);
  });

  it("leaves out whom the strategy leaves out, also where nobody else sent the tensor", async () => {
    const model = join(folder, "model.safetensors");
    const one = (value: number): Tensor => ({ dtype: "F32", shape: [1], data: Float32Array.of(value) });
    await writeFile(
      model,
      encodeSafetensors([
        ["shared", one(1)],
        ["head", one(5)],
      ]),
    );
    const scale = await announceScale({ model, maxWeight: 10 });
    const strategy: Strategy = {
      ...halves,
      name: "heavy",
      weigh: ({ contributors }) => contributors.map(({ weight }) => (weight > 5 ? { factor: weight, weight } : { factor: 0, weight: 0 })),
    };
    const updates: readonly Sent[] = [
      {
        contributor: "light",
        weight: 1,
        source: encodeSafetensors([
          ["shared", one(100)],
          ["head", one(7)],
        ]),
      },
      { contributor: "heavy", weight: 6, source: encodeSafetensors([["shared", one(3)]]) },
    ];
    const folding = new Folding({ model, scale, strategy, paramsType: "FULL", updates });
    const flat = await folding.model([0, 1], js);
    for (const engine of engines) {
      const report = await folding.model([[0, 1]], engine);
      expect(report.sha256).toBe(flat.sha256);
      expect([report.partialTensors, report.skippedTensors]).toEqual([flat.partialTensors, flat.skippedTensors]);
    }
  });

  it("takes integers by whole numbers of samples beside updates of broken weights", async () => {
    const model = join(folder, "model.safetensors");
    const of = (value: number): Uint8Array => encodeSafetensors([["n", { dtype: "I32", shape: [2], data: Int32Array.of(value, -value) }]]);
    await writeFile(model, of(0));
    const scale = await announceScale({ model, maxWeight: 1000 });
    const updates = [3, 2, 0.75].map((weight, i) => ({ contributor: `${i}`, weight, source: of(1000 * i + 7) }));
    const folding = new Folding({ model, scale, strategy: fedAvg(), paramsType: "FULL", updates });
    const flat = await folding.model([0, 1, 2], js);
    for (const engine of engines) expect((await folding.model([[0, 1], 2], engine)).sha256).toBe(flat.sha256);
  });

  it("holds the sums of as many contributors as there may be, each with the largest term that the scale takes", async () => {
    const model = join(folder, "model.safetensors");
    const of = (steps: number): Uint8Array =>
      encodeSafetensors([["w", { dtype: "F64", shape: [1], data: Float64Array.of(steps * 2 ** -28) }]]);
    await writeFile(model, of(1));
    const scale = { gridBits: { w: 28 } };
    for (const sign of [1, -1]) {
      // Rounds to 2^51 - 1 steps; a quarter of a step more would round to 2^51, and 4096 of them are 2^63, which wraps around.
      const source = of(sign * (2 ** 51 - 0.75));
      const updates = Array.from({ length: maxContributors }, (_, i) => ({ contributor: `${i}`, weight: 1, source }));
      const folding = new Folding({ model, scale, strategy: fedAvg(), paramsType: "FULL", updates });
      for (const engine of engines.slice(0, 2)) {
        await folding.model([[...updates.keys()]], engine);
        const mean = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
        expect(mean.get("w")?.data).toEqual(Float64Array.of(sign * (2 ** 51 - 1) * 2 ** -28));
        const session = await engine.open({ model, strategy: fedAvg(), paramsType: "FULL", scale });
        const beyond = session.add({ contributor: "a", weight: 1, source: of(sign * (2 ** 51 - 0.5)), paramsType: "FULL" });
        await expect(beyond).rejects.toMatchObject({ code: "aggregate/out-of-range" });
        await session.discard();
      }
    }
  });

  it("holds 64-bit integers as long as their sums fit, and names the tensor where they do not", async () => {
    const model = join(folder, "model.safetensors");
    const of = (value: bigint): Uint8Array => encodeSafetensors([["n", { dtype: "I64", shape: [1], data: BigInt64Array.of(value) }]]);
    await writeFile(model, of(0n));
    const scale = await announceScale({ model, maxWeight: 1000 });
    const updates = [2n ** 62n, -(2n ** 61n), 2n ** 60n].map((value, i) => ({ contributor: `${i}`, weight: 1, source: of(value) }));
    const folding = new Folding({ model, scale, strategy: fedAvg(), paramsType: "FULL", updates });
    const flat = await folding.model([0, 1, 2], js);
    expect((await folding.model([[0, 1], [2]], js)).sha256).toBe(flat.sha256);
    const heavy = [{ contributor: "a", weight: 3, source: of(2n ** 62n) }];
    const beyond = new Folding({ model, scale, strategy: fedAvg(), paramsType: "FULL", updates: heavy });
    const broken = heavy.map((each) => ({ ...each, weight: 0.5 }));
    const fractional = new Folding({ model, scale, strategy: fedAvg(), paramsType: "FULL", updates: broken });
    for (const each of [beyond, fractional]) {
      await expect(each.model([[0]], js)).rejects.toMatchObject({
        code: "aggregate/out-of-range",
        facts: { tensor: "n" },
      });
    }
  });
});

function depthOf(tree: Tree): number {
  return 1 + Math.max(0, ...tree.map((each) => (typeof each === "number" ? 0 : depthOf(each))));
}

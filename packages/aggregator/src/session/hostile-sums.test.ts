import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import type { ExactScale } from "../exact/exact-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { coordinateMedian } from "../strategies/median.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
let scale: ExactScale = { gridBits: {} };
const js = new ExactJsEngine({ nowMs });
let engines: readonly AggregationEngine[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-sums-"));
  engines = [js, await WasmEngine.create({ nowMs }, { threads: 2 })];
  await writeFile(at("model"), model());
  scale = await announceScale({ model: at("model"), maxWeight: 100 });
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

const at = (file: string): string => join(folder, `${file}.safetensors`);

function model(seed = 0): Uint8Array {
  return encodeSafetensors([
    ["w", { dtype: "F32", shape: [1000], data: Float32Array.from({ length: 1000 }, (_, i) => Math.sin(seed + i)) }],
    ["b", { dtype: "F64", shape: [], data: Float64Array.of(seed) }],
    ["n", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, seed) }],
    ["head", { dtype: "F32", shape: [2], data: Float32Array.of(seed, 1) }],
  ]);
}

const open = (engine: AggregationEngine, init: Partial<AggregationInit> = {}): Promise<AggregationSession> =>
  engine.open({ model: at("model"), strategy: fedAvg(), paramsType: "FULL", scale, ...init });

/** What sums say of themselves; broken in every test. */
interface Heading {
  strategy: unknown;
  paramsType: unknown;
  gridBits: number[];
  contributors: Record<string, unknown>[];
}

/** Sums of two contributors; what they say of themselves, and their tensors, may be changed. */
async function sumsFile(
  change: (heading: Heading, tensors: Map<string, Tensor>) => unknown = () => undefined,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const session = await open(js);
  for (const seed of [1, 2]) await session.add({ contributor: `site-${seed}`, weight: 10 * seed, source: model(seed), paramsType: "FULL" });
  await session.finishSums({ outPath: at("good"), isDurable: false });
  const bytes = await readFile(at("good"));
  const heading = JSON.parse(parseSafetensorsHeader(bytes).metadata["flare.sums"] ?? "") as Heading;
  const tensors = decodeSafetensors(bytes);
  const text = change(heading, tensors);
  const said = typeof text === "string" ? text : JSON.stringify(heading);
  await writeFile(at("sums"), encodeSafetensors([...tensors], { "flare.sums": said, ...metadata }));
  return at("sums");
}

const sumsOf = (tensors: Map<string, Tensor>, name: string): BigInt64Array => tensors.get(name)?.data as BigInt64Array;

/** One sum is so many. */
const spoil =
  (tensor: string, value: bigint, element = 0) =>
  (_: Heading, tensors: Map<string, Tensor>): void => {
    sumsOf(tensors, tensor)[element] = value;
  };
const contributor =
  (member: string, value: unknown) =>
  ({ contributors }: Heading): void => {
    Object.assign(contributors[0] ?? {}, { [member]: value });
  };

const invalid: readonly [string, (heading: Heading, tensors: Map<string, Tensor>) => unknown][] = [
  ["of another grid", ({ gridBits }) => gridBits.splice(0, 1, 7)],
  ["of fewer grids", ({ gridBits }) => gridBits.pop()],
  ["of another strategy", (heading) => (heading.strategy = "fed-prox")],
  ["of the other kind of updates", (heading) => (heading.paramsType = "DIFF")],
  ["that say nothing", () => ""],
  ["that say what is not JSON", () => "{"],
  ["that say null", () => "null"],
  ["that say a number", () => "5"],
  ["that say a list", () => "[]"],
  ["of nobody", (heading) => (heading.contributors = [])],
  ["of contributors that are no list", (heading) => (heading.contributors = {} as never)],
  ["of a contributor that is null", ({ contributors }) => contributors.push(null as never)],
  ["of a contributor that is a text", ({ contributors }) => contributors.push("site-3" as never)],
  ["of a contributor twice", ({ contributors }) => contributors.push(...contributors.slice(0, 1))],
  ["of a contributor without a name", contributor("contributor", 5)],
  ["of a negative weight", contributor("weight", -1)],
  ["of an enormous weight", contributor("weight", 1e300)],
  ["of a weight that is a text", contributor("weight", "10")],
  ["of no weight", contributor("weight", undefined)],
  ["of an enormous factor", contributor("factor", -1e300)],
  ["of a broken weight of integers", contributor("weight", 0.5)],
  ["of a negative norm", contributor("norm", -1)],
  ["of an absent tensor that the model does not have", contributor("absent", ["v"])],
  ["of absent tensors that are no list", contributor("absent", "head")],
  ["of an absent tensor that is no name", contributor("absent", [0])],
  ["with a tensor that no contributor sent", ({ contributors }) => contributors.forEach((each) => (each["absent"] = ["head"]))],
  ["without a tensor that a contributor sent", (_, tensors) => tensors.delete("head")],
  ["with a sum that no two contributors make", spoil("w", 2n ** 52n + 1n, 999)],
  ["with a sum that no two contributors make, below zero", spoil("w", -(2n ** 52n) - 1n)],
  ["with the largest number", spoil("w", 2n ** 63n - 1n)],
  ["with the lowest number", spoil("b", -(2n ** 63n))],
  ["with an integer beyond the type and the weights", spoil("n", 255n * 30n + 1n)],
  ["with the lowest integer", spoil("n", -(2n ** 63n))],
];

describe("sums that do not go with the aggregation", () => {
  it.each(invalid)("%s are refused and leave no trace", async (_what, change) => {
    const source = await sumsFile(change);
    for (const engine of engines) {
      const session = await open(engine);
      await session.add({ contributor: "a", weight: 5, source: model(3), paramsType: "FULL" });
      await expect(session.addSums(source)).rejects.toMatchObject({ code: "aggregate/sums-invalid", facts: { file: source } });
      const report = await session.finish({ outPath: at("out"), isDurable: false });
      expect(report.contributors.map(({ contributor: each }) => each)).toEqual(["a"]);
    }
  });

  it.each<[string, string, (heading: Heading, tensors: Map<string, Tensor>) => unknown]>([
    [
      "of another type",
      "aggregate/layout-mismatch",
      (_, tensors) => tensors.set("w", { dtype: "F32", shape: [1000], data: new Float32Array(1000) }),
    ],
    [
      "of the integers' own type",
      "aggregate/layout-mismatch",
      (_, tensors) => tensors.set("n", { dtype: "U8", shape: [3], data: new Uint8Array(3) }),
    ],
    [
      "of another shape",
      "aggregate/layout-mismatch",
      (_, tensors) => tensors.set("w", { dtype: "I64", shape: [500, 2], data: new BigInt64Array(1000) }),
    ],
    [
      "with a tensor too many",
      "aggregate/unknown-tensor",
      (_, tensors) => tensors.set("v", { dtype: "I64", shape: [1], data: BigInt64Array.of(1n) }),
    ],
  ])("%s are refused by tensor", async (_what, code, change) => {
    const source = await sumsFile(change);
    for (const engine of engines) {
      const session = await open(engine);
      await expect(session.addSums(source)).rejects.toMatchObject({ code });
      await session.discard();
    }
  });

  it("that say they are compressed are held to whole sums", async () => {
    const short = (_: Heading, tensors: Map<string, Tensor>): void => {
      tensors.set("w", { dtype: "I8", shape: [1000], data: new Int8Array(1000).fill(1) });
      tensors.set("w::scale", { dtype: "F32", shape: [4], data: Float32Array.of(1, 1, 1, 1) });
    };
    const source = await sumsFile(short, { "flare.compressed": "1" });
    for (const engine of engines) {
      const session = await open(engine);
      await expect(session.addSums(source)).rejects.toMatchObject({ code: expect.stringMatching(/layout-mismatch|unknown-tensor/) });
      await session.discard();
    }
  });

  it("are no update, and an update is no sums", async () => {
    const source = await sumsFile();
    const session = await open(js);
    await expect(session.add({ contributor: "a", weight: 1, source, paramsType: "FULL" })).rejects.toMatchObject({
      code: "aggregate/layout-mismatch",
    });
    await expect(session.addSums(at("model"))).rejects.toMatchObject({ code: "aggregate/sums-invalid" });
    await expect(session.addSums(at("nowhere"))).rejects.toMatchObject({ code: "file/not-found" });
    await session.discard();
  });

  it("come where no scale was announced, or come from a session that has none, or from what makes no sums", async () => {
    const source = await sumsFile();
    const engine = js;
    const without = await open(engine, { scale: undefined });
    await expect(without.addSums(source)).rejects.toMatchObject({ code: "aggregate/sums-invalid" });
    await without.add({ contributor: "a", weight: 1, source: model(1), paramsType: "FULL" });
    await expect(without.finishSums({ outPath: at("never") })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
    await without.discard();
    const median = await open(engine, { scale: undefined, strategy: coordinateMedian() });
    await median.add({ contributor: "a", weight: 1, source: model(1), paramsType: "FULL" });
    await expect(median.finishSums({ outPath: at("never") })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
    await median.discard();
    const fast = await WasmEngine.create({ nowMs }, { mode: "fast" });
    const rounding = await open(fast);
    await rounding.add({ contributor: "a", weight: 1, source: model(1), paramsType: "FULL" });
    await expect(rounding.finishSums({ outPath: at("never") })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
    await rounding.discard();
    await fast.close();
  });
});

describe("a contributor", () => {
  it("counts once, by itself or in sums, whatever comes first", async () => {
    const source = await sumsFile();
    await writeFile(at("again"), await readFile(source));
    const own = { contributor: "site-2", weight: 1, source: model(5), paramsType: "FULL" } as const;
    for (const engine of engines) {
      const twice = { code: "aggregate/contributor-twice" };
      const session = await open(engine);
      await session.addSums(source);
      await expect(session.add(own)).rejects.toMatchObject({ ...twice, facts: { contributor: "site-2" } });
      await expect(session.addSums(source)).rejects.toMatchObject(twice);
      await expect(session.addSums(at("again"))).rejects.toMatchObject(twice);
      expect(await session.remove(source)).toBe(true);
      await session.add(own);
      await expect(session.addSums(source)).rejects.toMatchObject(twice);
      const both = await Promise.allSettled([session.remove("site-2"), session.addSums(at("again")), session.addSums(source)]);
      expect(both.filter(({ status }) => status === "rejected")).toHaveLength(1);
      expect((await session.finish({ outPath: at("out"), isDurable: false })).contributors).toHaveLength(2);
    }
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AggregationEngine, AggregationSession, Update } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { seeded } from "../strategies/sample-round.test-support.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";
import { maxThreads } from "../wasm/wasm-parts.js";
import type { ExactScale } from "./exact-scale.js";

/** How many times contributors are shuffled: set the variable to 10000 for the full proof, which takes minutes. */
const shuffles = Number(process.env["FLARE_SHUFFLES"] ?? 120);

const nowMs = (): number => performance.now();
const contributors = 12;

/** A few tensors of odd sizes; values of each are of one magnitude, as an announced scale wants it. */
function sampleUpdate(seed: number): Uint8Array {
  const next = seeded(seed);
  const floats = (count: number, size: number): number[] => Array.from({ length: count }, () => (next() - 0.5) * size);
  const bits = (count: number): Uint16Array => Uint16Array.from({ length: count }, () => 0x3800 + Math.floor(next() * 0x3ff));
  const tensors: [string, Tensor][] = [
    ["small", { dtype: "F32", shape: [333], data: Float32Array.from(floats(333, 0.01)) }],
    ["blocks", { dtype: "F32", shape: [16_385], data: Float32Array.from(floats(16_385, 30)) }],
    ["brain", { dtype: "BF16", shape: [7, 11], data: bits(77) }],
    ["half", { dtype: "F16", shape: [], data: bits(1) }],
    ["wide", { dtype: "F64", shape: [129], data: Float64Array.from(floats(129, 1e6)) }],
    ["steps", { dtype: "I64", shape: [3], data: BigInt64Array.from(floats(3, 2 ** 40), (value) => BigInt(Math.floor(value))) }],
    ["bytes", { dtype: "U8", shape: [5], data: Uint8Array.from(floats(5, 200), Math.abs) }],
  ];
  return encodeSafetensors(tensors.filter((_, i) => i === 0 || seed === 0 || next() > 0.2));
}

let folder = "";
const js = new ExactJsEngine({ nowMs });
let engines: readonly AggregationEngine[] = [];
let scale: ExactScale = { gridBits: {} };
let updates: readonly { readonly bytes: Uint8Array; readonly path: string; readonly weight: number }[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-bits-"));
  const made = [1, 2, 3, 5, maxThreads].map((threads) => WasmEngine.create({ nowMs }, { threads }));
  const scalar = [1, 4].map((threads) => WasmEngine.create({ nowMs }, { threads, isSimdAllowed: false }));
  engines = [js, ...(await Promise.all([...made, ...scalar]))];
  updates = await Promise.all(
    Array.from({ length: contributors }, async (_, i) => {
      const [bytes, path] = [sampleUpdate(1 + i), join(folder, `${i}.safetensors`)];
      await writeFile(path, bytes);
      return { bytes, path, weight: 1 + ((i * 37) % 200) };
    }),
  );
  await writeFile(join(folder, "model.safetensors"), sampleUpdate(0));
  scale = await announceScale({ model: join(folder, "model.safetensors"), maxWeight: 256 });
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

/** A few choices that are the same each time the test runs. */
class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  shuffled<T>(list: readonly T[]): T[] {
    const all = [...list];
    // Of those that were not drawn yet, one goes to the end.
    for (let left = all.length; left > 0; left--) all.push(...all.splice(this.below(left), 1));
    return all;
  }

  /** A file, its bytes, or a stream that is cut anywhere. */
  source({ bytes, path }: { readonly bytes: Uint8Array; readonly path: string }): Update["source"] {
    const kind = this.below(8);
    if (kind < 4) return path;
    return kind < 7 ? bytes : this.#stream(bytes);
  }

  async *#stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; ) {
      const size = 1 + this.below(50_000);
      yield bytes.slice(at, at + size);
      at += size;
    }
  }
}

/** Opens and fills sessions of one shuffle. */
class Shuffle {
  readonly #engine: AggregationEngine;
  readonly #chance: Chance;
  readonly #scale: ExactScale | undefined;

  constructor(engine: AggregationEngine, chance: Chance, shared: ExactScale | undefined) {
    this.#engine = engine;
    this.#chance = chance;
    this.#scale = shared;
  }

  async flat(order: readonly number[]): Promise<AggregationSession> {
    const session = await this.#engine.open({
      model: join(folder, "model.safetensors"),
      strategy: fedAvg(),
      paramsType: "FULL",
      scale: this.#scale,
      spoolFolder: folder,
      check: this.#chance.below(2) === 0 ? "add" : "finish",
    });
    await Promise.all(
      order.map((i) => {
        const { weight, ...update } = updates[i] ?? { bytes: new Uint8Array(0), path: "", weight: 0 };
        return session.add({ contributor: `site-${i}`, weight, source: this.#chance.source(update), paramsType: "FULL" });
      }),
    );
    return session;
  }

  /** The first few directly, the rest through the sums of a relay, which does likewise. */
  async tree(order: readonly number[], depth = 0): Promise<AggregationSession> {
    const direct = this.#chance.below(order.length + 1);
    const session = await this.flat(order.slice(0, direct));
    if (direct === order.length) return session;
    const [rest, middle] = [order.slice(direct), direct + this.#chance.below(order.length - direct + 1)];
    const groups = depth < 3 ? [rest.slice(0, middle - direct), rest.slice(middle - direct)] : [rest];
    for (const [index, group] of groups.filter(({ length }) => length > 0).entries()) {
      const relay = depth < 3 ? await this.tree(group, depth + 1) : await this.flat(group);
      const outPath = join(folder, `sums-${depth}-${index}.safetensors`);
      await relay.finishSums({ outPath, isDurable: false });
      await session.addSums(outPath);
    }
    return session;
  }
}

it(`${shuffles} shuffles: any order, threads, engine, cut of streams and tree of sums give the same SHA-256`, async () => {
  const hashes = { announced: new Set<string>(), own: new Set<string>() };
  for (let i = 0; i < shuffles; i++) {
    const chance = new Chance(i);
    const order = chance.shuffled([...updates.keys()]);
    const engine = engines[chance.below(engines.length)] ?? js;
    // Grids that follow from the updates are finer than announced ones, so there are two hashes.
    const grid = i % 3 === 0 ? "own" : "announced";
    const shuffle = new Shuffle(engine, chance, grid === "own" ? undefined : scale);
    const session = i % 3 === 2 ? await shuffle.tree(order) : await shuffle.flat(order);
    hashes[grid].add((await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false })).sha256);
  }
  expect([hashes.own.size, hashes.announced.size]).toEqual([1, 1]);
}, 1_800_000);

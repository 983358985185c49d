import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AggregationEngine, AggregationSession, Update } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { seeded } from "../strategies/sample-round.test-support.js";
import { type SampleTensor, sampleUpdate } from "../wasm/sample-federation.test-support.js";
import { WasmEngine } from "../wasm/wasm-engine.js";
import { maxThreads } from "../wasm/wasm-parts.js";
import type { ExactScale } from "./exact-scale.js";

/** How many times contributors are shuffled: set the variable to 10000 for the full proof, which takes minutes. */
const shuffles = Number(process.env["FLARE_SHUFFLES"] ?? 200);

const nowMs = (): number => performance.now();
const contributors = 12;
const tensors: readonly SampleTensor[] = [
  { dtype: "F32", shape: [333] },
  { dtype: "F32", shape: [16_385] },
  { dtype: "BF16", shape: [7, 11] },
  { dtype: "F16", shape: [] },
  { dtype: "F64", shape: [129] },
  { dtype: "I64", shape: [3] },
  { dtype: "U8", shape: [5] },
];

let folder = "";
let engines: readonly AggregationEngine[] = [];
let scale: ExactScale = { gridBits: {} };
let updates: readonly { readonly bytes: Uint8Array; readonly path: string; readonly weight: number }[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-bits-"));
  const made = [1, 2, 3, 5, maxThreads].map((threads) => WasmEngine.create({ nowMs }, { threads }));
  const scalar = [1, 4].map((threads) => WasmEngine.create({ nowMs }, { threads, isSimdAllowed: false }));
  engines = [new ExactJsEngine({ nowMs }), ...(await Promise.all([...made, ...scalar]))];
  updates = await Promise.all(
    Array.from({ length: contributors }, async (_, i) => {
      const [bytes, path] = [sampleUpdate(tensors, 17 + i, i % 3 === 0 ? 0.3 : 0), join(folder, `${i}.safetensors`)];
      await writeFile(path, bytes);
      return { bytes, path, weight: 1 + ((i * 37) % 200) };
    }),
  );
  await writeFile(join(folder, "model.safetensors"), sampleUpdate(tensors, 17));
  // A scale of one's own, since a value in the updates may be 2048 times that of the model.
  const { gridBits } = await announceScale({ model: join(folder, "model.safetensors"), maxWeight: 256 });
  scale = { gridBits: Object.fromEntries(Object.entries(gridBits).map(([name, bits]) => [name, Math.min(bits, 0) - 100])) };
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
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [all[i], all[j]] = [all[j] as T, all[i] as T];
    }
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

it(`${shuffles} shuffles: any order, threads, engine, cut of streams and tree of sums give the same SHA-256`, async () => {
  const hashes = { flat: new Set<string>(), tree: new Set<string>() };
  for (let shuffle = 0; shuffle < shuffles; shuffle++) {
    const chance = new Chance(shuffle);
    const engine = engines[shuffle % engines.length] as AggregationEngine;
    const order = chance.shuffled([...updates.keys()]);
    const isTree = shuffle % 2 === 1;
    const session = await open(isTree);
    if (isTree) await addTree(session, order, chance);
    else await Promise.all(order.map((i) => addOne(session, i, chance)));
    const { sha256 } = await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false });
    hashes[isTree ? "tree" : "flat"].add(sha256);

    function open(hasScale: boolean): Promise<AggregationSession> {
      return engine.open({
        model: join(folder, "model.safetensors"),
        strategy: fedAvg(),
        paramsType: "FULL",
        scale: hasScale ? scale : undefined,
        spoolFolder: folder,
        check: chance.below(2) === 0 ? "add" : "finish",
      });
    }

    async function addTree(into: AggregationSession, group: readonly number[], by: Chance, depth = 0): Promise<void> {
      const cut = 1 + by.below(group.length);
      await Promise.all(group.slice(0, cut).map((i) => addOne(into, i, by)));
      const rest = group.slice(cut);
      if (rest.length === 0) return;
      const relay = await open(true);
      await addTree(relay, rest, by, depth + 1);
      const outPath = join(folder, `sums-${depth}.safetensors`);
      await relay.finishSums({ outPath, isDurable: false });
      await into.addSums(outPath);
    }
  }
  expect(hashes.flat.size).toBe(1);
  expect(hashes.tree.size).toBe(1);
  // An announced grid rounds otherwise than one that follows from the updates, so the two may differ.
  expect([...hashes.flat, ...hashes.tree].every((hash) => hash.length === createHash("sha256").digest("hex").length)).toBe(true);
}, 1_800_000);

function addOne(session: AggregationSession, i: number, chance: Chance): Promise<void> {
  const update = updates[i];
  if (update === undefined) throw new RangeError("there is no such update");
  return session.add({ contributor: `site-${i}`, weight: update.weight, source: chance.source(update), paramsType: "FULL" });
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine } from "../aggregation-engine.js";
import { distance, exactMean, rationalOf } from "../fed-avg.reference.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { blockElements } from "../session/batches.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { seeded } from "../strategies/sample-round.test-support.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
let engines: readonly AggregationEngine[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-error-"));
  engines = [
    new ExactJsEngine({ nowMs }),
    await WasmEngine.create({ nowMs }, { threads: 2 }),
    await WasmEngine.create({ nowMs }, { isSimdAllowed: false }),
  ];
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

/** A whole block and a short one. */
const elements = blockElements + 300;
const largest = 2 ** 128 - 2 ** 104;

interface Hostile {
  /** The value of an element that a contributor sends; pairs of contributors follow each other. */
  readonly value: (next: () => number, contributor: number, element: number) => number;
  readonly weight: (next: () => number, contributor: number) => number;
}

const equalWeights = (): number => 1000;
const anyWeights = (next: () => number): number => 1 + Math.floor(next() * (2 ** 29 - 2));
/** The same number for both of a pair, with opposite signs. */
const pairOf = (contributor: number, element: number): number => {
  const mixed = Math.imul((contributor >> 1) * 7919 + element + 1, 0x9e3779b1) >>> 8;
  return (contributor % 2 === 0 ? 1 : -1) * mixed;
};

const hostile: Readonly<Record<string, Hostile>> = {
  "large values that cancel to tiny ones": {
    value: (next, contributor, element) => pairOf(contributor, element) * 2 ** 20 + (contributor > 1 ? 0 : next() * 2 ** 19),
    weight: equalWeights,
  },
  "large values that cancel to nothing": { value: (_, contributor, element) => pairOf(contributor, element), weight: equalWeights },
  "tiny values beside large ones in one block": { value: (next) => (next() - 0.5) * 2 ** Math.floor(next() * 60 - 40), weight: anyWeights },
  "all magnitudes of float32 in one block": { value: (next) => (next() - 0.5) * 2 ** Math.floor(next() * 276 - 149), weight: anyWeights },
  "one huge value in a block of small ones": {
    value: (next, contributor, element) => (element === 77 && contributor === 1 ? 1e30 : next() * 1e-3),
    weight: anyWeights,
  },
  "subnormal values": { value: (next) => Math.floor((next() - 0.5) * 2 ** 23) * 2 ** -149, weight: anyWeights },
  "the largest values, with weights that overflow float32": {
    value: (next, contributor, element) => (pairOf(contributor, element) > 0 ? 1 : -1) * (next() < 0.5 ? largest : largest * next()),
    weight: (next) => Math.floor(2 ** 28 + next() * (2 ** 28 - 2)),
  },
  "the largest values alone": { value: () => largest, weight: anyWeights },
};

describe("the error of a mean of float32", () => {
  /*
   * With n contributors of weights w, W = Σ w and M = max |w × value| over the block, each term is rounded to a grid of at most
   * M × 2^-50: by at most M × 2^-51. Beside that there is the rounding to float32 and, 2^-29 times as large, two in float64.
   * So |error| ≤ unit / 2 + n × M × 2^-51 / W, where unit is that of float32 at the result: at most one unit wherever the result is
   * not smaller than the largest term by 2^26 / n and more.
   */
  it.each(Object.entries(hostile))("with %s is half a unit and the grid's share at most", async (_what, { value, weight }) => {
    for (const n of [2, 15]) {
      const next = seeded(n);
      const weights = Array.from({ length: n }, (_unused, contributor) => weight(next, contributor));
      const columns = weights.map((_unused, contributor) =>
        Float32Array.from({ length: elements }, (__, element) => value(next, contributor, element)),
      );
      const files = columns.map((data) => encodeSafetensors([["w", { dtype: "F32", shape: [elements], data }]]));
      const outcomes = new Set<string>();
      for (const engine of engines) {
        const session = await engine.open({
          model: parseSafetensorsHeader(files[0] ?? new Uint8Array(0)),
          strategy: fedAvg(),
          paramsType: "FULL",
        });
        for (const [i, source] of files.entries())
          await session.add({ contributor: `site-${i}`, weight: weights[i] ?? 0, source, paramsType: "FULL" });
        outcomes.add((await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false })).sha256);
      }
      expect(outcomes.size).toBe(1);
      const means = decodeSafetensors(await readFile(join(folder, "out.safetensors"))).get("w")?.data ?? [];
      const total = weights.reduce((sum, each) => sum + each, 0);
      const largestTerms = [
        [0, blockElements],
        [blockElements, elements],
      ].map(([from, to]) =>
        columns.reduce(
          (most, column, i) => column.subarray(from, to).reduce((each, v) => Math.max(each, Math.abs(v * (weights[i] ?? 0))), most),
          0,
        ),
      );
      // Every 97th of the block, those that hold something special, and the short block.
      for (const element of [...Array.from({ length: 170 }, (_unused, i) => 97 * i), 77, 78, blockElements, elements - 1]) {
        const largestTerm = largestTerms[element < blockElements ? 0 : 1] ?? 0;
        const got = Number(means[element]);
        const unit = Math.max(2 ** -149, 2 ** (Math.floor(Math.log2(Math.abs(got) || 2 ** -149)) - 23));
        const grid = (n * largestTerm * 2 ** -51) / total;
        const error = distance(
          rationalOf(got),
          exactMean(
            columns.map((column) => column[element] ?? 0),
            weights,
          ),
        );
        const isFarBelow = Math.abs(got) < (n * largestTerm * 2 ** -26) / total;
        const bound = (unit / 2 + grid) * (1 + 2 ** -20);
        expect(error).toBeLessThanOrEqual(isFarBelow ? bound : Math.min(bound, unit));
      }
    }
  });
});

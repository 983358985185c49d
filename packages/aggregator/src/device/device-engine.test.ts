import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationReport } from "../aggregation-engine.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { jsArithmetic } from "../js/js-arithmetic.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { krum } from "../strategies/krum.js";
import { coordinateMedian } from "../strategies/median.js";
import { normClip } from "../strategies/norm-clip.js";
import type { Strategy } from "../strategies/strategy.js";
import { trimmedMean } from "../strategies/trimmed-mean.js";
import type { Tensor } from "../tensor.js";
import type { CombineDevice } from "./combine-device.js";
import { DeviceEngine } from "./device-engine.js";
import { FakeDevice, type FakeDeviceInit, lost, noRoom } from "./fake-device.test-support.js";

const nowMs = (): number => performance.now();
let folder = "";
let model = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-device-"));
  model = join(folder, "model.safetensors");
  await writeFile(model, sample(0));
});
afterAll(() => rm(folder, { recursive: true }));

/** Several batches, small tensors between, and what no device takes. */
function sample(seed: number): Uint8Array {
  const value = (i: number): number => Math.sin(seed * 1.3 + i * 0.37) * 10 ** ((i % 5) - 2);
  const f32 = (count: number): Tensor => ({ dtype: "F32", shape: [count], data: Float32Array.from({ length: count }, (_, i) => value(i)) });
  return encodeSafetensors([
    ["first", f32(20_001)],
    ["scalar", { dtype: "F32", shape: [], data: Float32Array.of(value(3)) }],
    ["wide", { dtype: "F64", shape: [77], data: Float64Array.from({ length: 77 }, (_, i) => value(i)) }],
    ["n", { dtype: "I64", shape: [2], data: BigInt64Array.of(BigInt(seed), -5n) }],
    ["second", f32(70_001)],
    ...(seed === 2 ? [] : [["head", f32(513)] as const]),
  ]);
}

async function aggregate(engine: AggregationEngine, strategy: Strategy, check: "add" | "finish" = "add"): Promise<AggregationReport> {
  const session = await engine.open({ model, strategy, paramsType: "FULL", check });
  for (const seed of [1, 2, 3, 4, 5].filter((each) => strategy.needs.distances !== true || each !== 2))
    await session.add({ contributor: `site-${seed}`, weight: seed, source: sample(seed), paramsType: "FULL" });
  return session.finish({ outPath: join(folder, "out.safetensors"), base: model, isDurable: false });
}

const engineOn = (device: CombineDevice, mode: "exact" | "fast" = "exact"): DeviceEngine =>
  new DeviceEngine({ nowMs, device, cpu: { arithmetic: jsArithmetic, close: async () => {} } }, { mode });

const strategies: readonly Strategy[] = [
  fedAvg(),
  coordinateMedian(),
  trimmedMean({ fraction: 0.25 }),
  krum({ byzantine: 0 }),
  normClip({ clipNorm: 5 }),
];

describe.each(strategies.map((strategy) => [strategy.name, strategy] as const))("a device that carries out %s", (_name, strategy) => {
  let sha256 = "";
  beforeAll(async () => {
    ({ sha256 } = await aggregate(new ExactJsEngine({ nowMs }), strategy));
  });

  it.each<[string, FakeDeviceInit]>([
    ["computes all that is asked", {}],
    ["computes what lies in rows of its own", { isLending: true }],
    ["has little room and says so before", { maxTileElements: 5 * 16_384 }],
    [
      "has less room than it says",
      {
        before: ({ elements }) => {
          if (elements > 20_000) throw noRoom();
        },
      },
    ],
  ])("%s: the bytes are those of the CPU", async (_what, init) => {
    for (const check of ["add", "finish"] as const) {
      const device = new FakeDevice(init);
      const engine = engineOn(device);
      const report = await aggregate(engine, strategy, check);
      expect(report.sha256).toBe(sha256);
      expect(report.engine).toBe("webgpu-exact");
      expect(device.calls.length).toBeGreaterThan(0);
      expect(device.lent).toBe(0);
      // Distances of float64 are for the CPU, which is said.
      expect(report.notes.filter((note) => !note.includes("float64"))).toEqual([]);
      await engine.close();
      expect(device.isClosed).toBe(true);
    }
  });

  it("is lost on the way, or has no room at all: the CPU goes on with the same bytes, and a note says so", async () => {
    for (const [failure, isOnTheWay] of [
      [lost(), true],
      [lost(), false],
      [noRoom(), false],
    ] as const) {
      const device = new FakeDevice({
        before: ({ index }) => {
          if (!isOnTheWay || index > 0) throw failure;
        },
      });
      const engine = engineOn(device);
      const report = await aggregate(engine, strategy);
      expect(report.sha256).toBe(sha256);
      expect(report.notes.join(" ")).toMatch(/webgpu: (The fake|It has no float64).*The CPU went on, exactly\./);
      const calls = device.calls.length;
      expect((await aggregate(engine, strategy)).sha256).toBe(sha256);
      // What is lost is not asked again; what was only full is.
      expect(device.calls.length > calls).toBe(failure.code !== "aggregate/device-lost");
    }
  });

  it("fails otherwise: that is an error, and the session goes on", async () => {
    let isBroken = true;
    const device = new FakeDevice({
      before: () => {
        if (isBroken) throw new FlareError("internal/bug", "The fake is broken.");
      },
    });
    const session = await engineOn(device).open({ model, strategy, paramsType: "FULL" });
    for (const seed of [1, 3, 4])
      await session.add({ contributor: `site-${seed}`, weight: seed, source: sample(seed), paramsType: "FULL" });
    const finish = { outPath: join(folder, "out.safetensors"), base: model, isDurable: false };
    await expect(session.finish(finish)).rejects.toThrow("The fake is broken.");
    isBroken = false;
    expect((await session.finish(finish)).contributors).toHaveLength(3);
  });
});

describe("a device that sums in float32", () => {
  it("is near the CPU, also where it is lost on the way or has little room", async () => {
    await aggregate(new ExactJsEngine({ nowMs }), fedAvg());
    const exact = decodeSafetensors(await readFile(join(folder, "out.safetensors")));
    for (const before of [
      () => {},
      ({ index }: { readonly index: number }) => {
        if (index > 1) throw lost();
      },
      ({ elements }: { readonly elements: number }) => {
        if (elements > 20_000) throw noRoom();
      },
    ]) {
      await aggregate(engineOn(new FakeDevice({ before, isExact: false }), "fast"), fedAvg());
      for (const [tensor, { data }] of decodeSafetensors(await readFile(join(folder, "out.safetensors")))) {
        const means = exact.get(tensor)?.data ?? [];
        let worst = 0;
        // Five terms of at most 100: each product and each sum is rounded once.
        for (const [i, got] of data.entries()) worst = Math.max(worst, Math.abs(Number(got) - Number(means[i])));
        expect(worst).toBeLessThanOrEqual(12 * 2 ** -24 * 100);
      }
    }
  });
});

describe("notes", () => {
  it("of a session are its own: what another one had no room for is not told again", async () => {
    let isFull = true;
    const device = new FakeDevice({
      before: () => {
        if (isFull) throw noRoom();
      },
    });
    const engine = engineOn(device);
    expect((await aggregate(engine, fedAvg())).notes).toHaveLength(1);
    isFull = false;
    expect((await aggregate(engine, fedAvg())).notes).toEqual([]);
  });
});

it("sums as many contributors as there may be to what the CPU does, also where each term is the largest that there is", async () => {
  // 335544315 × 13421773 is 2^52 - 1, which is half a step below 2^51 steps and rounds up to them: 4096 of them are 2^63.
  const source = encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(13_421_773) }]]);
  const session = await engineOn(new FakeDevice({ maxTileElements: 2 ** 24 })).open({
    model: parseSafetensorsHeader(source),
    strategy: fedAvg(),
    paramsType: "FULL",
  });
  for (let i = 0; i < 4096; i++) await session.add({ contributor: `site-${i}`, weight: 335_544_315, source, paramsType: "FULL" });
  const outPath = join(folder, "largest.safetensors");
  await session.finish({ outPath, isDurable: false });
  expect(decodeSafetensors(await readFile(outPath)).get("w")?.data).toEqual(Float32Array.of(13_421_773));
});

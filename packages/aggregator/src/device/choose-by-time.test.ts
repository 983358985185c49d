import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChosenEngine, type CreateEngineInit, createEngine } from "../create-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import type { OpenedDevice } from "./device-openers.js";
import { FakeDevice, lost, noRoom } from "./fake-device.test-support.js";

let folder = "";
let trialsFile = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-trials-"));
  trialsFile = join(folder, "kept", "trials.json");
});
afterEach(() => rm(folder, { recursive: true }));

const workload = { updates: 3, elements: 5000, combine: "mean" } as const;

interface Trying {
  readonly chosen: ChosenEngine;
  readonly device: FakeDevice;
  /** How often a device was opened. */
  readonly opened: number;
}

/** Asks for `auto` where a fold takes so many milliseconds on the device, by a clock by which it takes one on the CPU. */
async function choose(deviceMs: number, init: CreateEngineInit = {}, before: () => void = () => {}): Promise<Trying> {
  let clockMs = 0;
  const device = new FakeDevice({
    before: () => {
      before();
      clockMs += deviceMs - 1;
    },
  });
  let opened = 0;
  const webgpu = async (): Promise<OpenedDevice> => {
    opened += 1;
    return { device };
  };
  const openers = { webgpu, gpu: async () => ({ reason: "There is no TensorFlow." }) };
  // Each look at the clock is a millisecond after the one before.
  const nowMs = (): number => ++clockMs;
  const chosen = await createEngine({ nowMs, openers }, { threads: 1, workload, trialsFile, ...init });
  return { chosen, device, opened };
}

describe("auto with a workload", () => {
  it("takes a device that is faster, says so, and knows it without another trial", async () => {
    const first = await choose(0.2);
    expect(first.chosen.engine.name).toBe("webgpu-exact");
    expect(first.chosen.reasons).toEqual([
      expect.stringMatching(/^webgpu took 0\.2 ms and the CPU 1\.0 ms for 3 updates of 4096 elements: a fake is used\.$/),
    ]);
    expect(first.device.calls.length).toBeGreaterThan(0);
    await first.chosen.engine.close();
    expect(first.device.isClosed).toBe(true);
    const second = await choose(50);
    expect([second.chosen.engine.name, second.device.calls.length, second.opened]).toEqual(["webgpu-exact", 0, 1]);
    await second.chosen.engine.close();
  });

  it("leaves one that is slower, closed, says so, and does not open it again", async () => {
    const first = await choose(5);
    expect(first.chosen.engine.name).toBe("cpu-wasm-exact");
    expect(first.device.isClosed).toBe(true);
    expect(first.chosen.reasons).toEqual([expect.stringMatching(/^webgpu took 5\.0 ms and the CPU 1\.0 ms .*: the CPU is used\.$/)]);
    await first.chosen.engine.close();
    const second = await choose(0.2);
    expect([second.chosen.engine.name, second.opened]).toEqual(["cpu-wasm-exact", 0]);
    expect(second.chosen.reasons[0]).toContain("in an earlier trial");
    await second.chosen.engine.close();
    // Another workload, mode or combination is another trial.
    for (const init of [
      { workload: { ...workload, updates: 2 } },
      { mode: "fast" as const },
      { workload: { ...workload, combine: "median" as const } },
    ]) {
      const other = await choose(0.2, init);
      expect(other.opened).toBe(1);
      await other.chosen.engine.close();
    }
  });

  it.each([
    [100, 2 ** 17],
    [5000, 2 ** 17],
  ])("tries %s large updates with as many values in all as any others, %s elements of each", async (updates, elements) => {
    const { chosen } = await choose(0.2, { workload: { updates, elements: 1e9, combine: "mean" } });
    expect(chosen.reasons[0]).toContain(`for ${Math.min(updates, 128)} updates of ${elements} elements`);
    await chosen.engine.close();
  });

  it.each([
    ["is lost", lost],
    ["has no room at all", noRoom],
    ["breaks", () => new TypeError("out of order")],
  ])("leaves one that %s in its trial, says so, and keeps no trial", async (_what, failure) => {
    const { chosen, device } = await choose(0.2, {}, () => {
      throw failure();
    });
    expect(chosen.engine.name).toBe("cpu-wasm-exact");
    expect(device.isClosed).toBe(true);
    expect(chosen.reasons).toEqual([expect.stringMatching(/^webgpu failed in a trial: .*(gone|room|out of order)/)]);
    await expect(readFile(trialsFile)).rejects.toMatchObject({ code: "ENOENT" });
    await chosen.engine.close();
  });

  it("says why a device could not be opened, whether that is told or thrown", async () => {
    const openers = {
      webgpu: async (): Promise<OpenedDevice> => {
        throw new Error("the driver is odd");
      },
      gpu: async () => ({ reason: "There is no TensorFlow." }),
    };
    const { engine, reasons } = await createEngine({ nowMs: () => 0, openers }, { mode: "fast", threads: 1, workload });
    expect([engine.name, ...reasons]).toEqual([
      "cpu-wasm-fast",
      expect.stringContaining("the driver is odd"),
      "gpu: There is no TensorFlow.",
    ]);
    await engine.close();
  });

  it("does not ask a device without exact sums for them, and does not look at devices for float64", async () => {
    const device = new FakeDevice({ isExact: false });
    const openers = { webgpu: async () => ({ device }), gpu: async () => ({ reason: "never asked" }) };
    const exact = await createEngine({ nowMs: () => 0, openers }, { threads: 1, workload });
    expect([exact.engine.name, ...exact.reasons]).toEqual(["cpu-wasm-exact", "webgpu: a fake has no exact sums."]);
    expect([device.isClosed, device.calls.length]).toEqual([true, 0]);
    await exact.engine.close();
    const wide = await createEngine({ nowMs: () => 0, openers }, { threads: 1, workload, mode: "float64" });
    expect([wide.engine.name, wide.reasons]).toEqual(["cpu-wasm-float64", []]);
    await wide.engine.close();
  });

  it("goes on with the CPU, exactly, when the device that it took is lost later", async () => {
    let isLost = false;
    const { chosen } = await choose(0.2, {}, () => {
      if (isLost) throw lost();
    });
    expect(chosen.engine.name).toBe("webgpu-exact");
    isLost = true;
    const model = encodeSafetensors([["w", { dtype: "F32", shape: [3], data: Float32Array.of(1, 2, 3) }]]);
    const session = await chosen.engine.open({ model: parseSafetensorsHeader(model), strategy: fedAvg(), paramsType: "FULL" });
    await session.add({ contributor: "a", weight: 1, source: model, paramsType: "FULL" });
    const report = await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false });
    expect(report.notes).toEqual(["webgpu: The fake is gone. The CPU went on, exactly."]);
    expect(Buffer.compare(await readFile(join(folder, "out.safetensors")), model)).toBe(0);
    await chosen.engine.close();
  });
});

describe("a file of trials", () => {
  it.each<[string, (text: string) => string]>([
    ["is empty", () => ""],
    ["is not JSON", () => "{"],
    ["is null", () => "null"],
    ["is a list", () => "[1, 2]"],
    ["has texts for numbers", (text) => text.replaceAll(/: [\d.]+/g, ': "fast"')],
    ["has null for numbers", (text) => text.replaceAll(/: [\d.]+/g, ": null")],
    ["has null for trials", (text) => text.replaceAll(/: \{[^{}]*\}/g, ": null")],
    ["has null for machines", (text) => `${text.slice(0, text.indexOf(": {"))}: null}`],
    ["has negative times", (text) => text.replaceAll(/: (?=\d)/g, ": -")],
  ])("that %s is as none: the trial is made, and kept in its place", async (_what, spoil) => {
    const made = await choose(5);
    await made.chosen.engine.close();
    const good = await readFile(trialsFile, "utf8");
    await writeFile(trialsFile, spoil(good));
    const again = await choose(5);
    expect([again.chosen.engine.name, again.opened]).toEqual(["cpu-wasm-exact", 1]);
    await again.chosen.engine.close();
    expect(JSON.parse(await readFile(trialsFile, "utf8"))).toMatchObject(JSON.parse(good) as object);
    expect(await readdir(join(folder, "kept"))).toEqual(["trials.json"]);
  });

  it("that cannot be written is no reason to fail", async () => {
    await mkdir(trialsFile, { recursive: true });
    const { chosen } = await choose(5);
    expect(chosen.engine.name).toBe("cpu-wasm-exact");
    await chosen.engine.close();
    expect(await readdir(join(folder, "kept"))).toEqual(["trials.json"]);
  });

  it("keeps what it knows of other workloads and machines", async () => {
    await mkdir(join(folder, "kept"));
    await writeFile(trialsFile, '{ "another machine": { "x": 1 } }');
    for (const updates of [2, 3]) await (await choose(5, { workload: { ...workload, updates } })).chosen.engine.close();
    const kept = JSON.parse(await readFile(trialsFile, "utf8")) as Record<string, object>;
    expect(kept["another machine"]).toEqual({ x: 1 });
    expect(Object.values(kept).map((each) => Object.keys(each).length)).toEqual([1, 2]);
  });
});

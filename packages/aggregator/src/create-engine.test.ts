import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createEngine } from "./create-engine.js";
import type { CombineDevice, Tile } from "./device/combine-device.js";

const nowMs = (): number => performance.now();

/** Gives zeros at once. */
function instantDevice(name: string, closed: string[]): CombineDevice {
  const zeros = async ({ values }: Tile): Promise<Float32Array> => new Float32Array(values[0]?.length ?? 0);
  return {
    name,
    device: name,
    maxTileElements: 2 ** 20,
    isExact: false,
    weightedSum: zeros,
    exactSum: () => Promise.reject(new Error("asked for exact sums")),
    median: zeros,
    trimmedMean: zeros,
    squaredDistances: async ({ values }) => new Float64Array(values.length ** 2),
    close: async () => void closed.push(name),
  };
}

/** Carries out `createEngine` of the built package in a process with the given options of Node. */
async function inProcess(flags: readonly string[], init: string): Promise<unknown> {
  const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
  const program = `
    const { createEngine } = await import(${entry});
    const { engine, device, reasons } = await createEngine({ nowMs: () => 0 }, ${init}).catch(({ code }) => ({ engine: { name: code, close() {} } }));
    await engine.close();
    process.stdout.write(JSON.stringify({ name: engine.name, device, reasons }));`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--input-type=module", "--eval", program]);
  return JSON.parse(stdout);
}

describe("the engine that is created", () => {
  it("is named with its mode and what it runs on", async () => {
    const { engine, device, reasons } = await createEngine({ nowMs }, { mode: "fast", threads: 2 });
    expect([engine.name, device, reasons]).toEqual(["cpu-wasm-fast", "cpu, WebAssembly with vector instructions, 2 threads", []]);
    await engine.close();
  });

  it("is plain JavaScript where that is asked for, in its one mode", async () => {
    expect(await createEngine({ nowMs }, { engine: "js" })).toMatchObject({ engine: { name: "cpu-js-exact" } });
    await expect(createEngine({ nowMs }, { engine: "js", mode: "fast" })).rejects.toMatchObject({ code: "aggregate/engine-unavailable" });
  });

  it("is plain JavaScript without WebAssembly, which is said, and refused where WebAssembly was asked for", async () => {
    expect(await inProcess(["--jitless"], "{}")).toMatchObject({
      name: "cpu-js-exact",
      reasons: ["This process has no WebAssembly: plain JavaScript is used, several times slower."],
    });
    for (const init of ['{ engine: "wasm" }', '{ mode: "fast" }']) {
      expect(await inProcess(["--jitless"], init)).toMatchObject({ name: "aggregate/engine-unavailable" });
    }
  });

  it("is never by itself a device without exact sums where they are wanted, however fast", async () => {
    // Each time that it is asked for, the clock has gone on by less: what comes second seems faster.
    let asked = 0;
    const slowingMs = (): number => 1e6 - 1e6 / ++asked;
    const closed: string[] = [];
    const opener = (name: string) => async (): Promise<{ readonly device: CombineDevice }> => ({ device: instantDevice(name, closed) });
    const openers = { webgpu: opener("first"), gpu: opener("second") };
    for (const combine of ["mean", "median", "trimmed-mean", "distances"] as const) {
      const workload = { updates: 4, elements: 4096, combine };
      const { engine, reasons } = await createEngine({ nowMs: slowingMs, openers }, { threads: 1, workload });
      expect([engine.name, reasons]).toEqual(["cpu-wasm-exact", ["webgpu: first has no exact sums."]]);
      await engine.close();
    }
    expect(closed).toEqual(["first", "first", "first", "first"]);
    const { engine } = await createEngine(
      { nowMs: slowingMs, openers },
      { threads: 1, mode: "fast", workload: { updates: 4, elements: 4096, combine: "median" } },
    );
    expect(engine.name).toBe("first-fast");
    await engine.close();
  });

  it("takes one thread where the permission model denies others, which is said, and refuses more", async () => {
    const flags = ["--permission", `--allow-fs-read=${fileURLToPath(new URL("../../..", import.meta.url))}`];
    expect(await inProcess(flags, "{}")).toMatchObject({
      name: "cpu-wasm-exact",
      device: "cpu, WebAssembly with vector instructions, 1 thread",
      reasons: ["Node's permission model denies threads: kernels run on the caller's thread."],
    });
    expect(await inProcess(flags, "{ threads: 2 }")).toMatchObject({ name: "aggregate/engine-unavailable" });
  });
});

import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CreateEngineInit, createEngine, engineNames } from "./create-engine.js";
import type { OpenedDevice } from "./device/device-openers.js";
import { FakeDevice } from "./device/fake-device.test-support.js";
import { encodeSafetensors } from "./safetensors/encode-safetensors.js";
import { fedAvg } from "./strategies/fed-avg.js";
import { computingPackage, type StandIn, standInTfjsGpu } from "./tfjs/stand-in-tfjs-gpu.test-support.js";
import { tfjsGpuFolderVariable } from "./tfjs/tfjs-gpu-folders.js";
import { WasmEngine } from "./wasm/wasm-engine.js";

const nowMs = (): number => performance.now();
let folder = "";
let model = "";
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "flare-surroundings-")));
  model = join(folder, "model.safetensors");
  const data = Float32Array.from({ length: 40_001 }, (_, i) => Math.sin(i) * 10 ** ((i % 7) - 3));
  const half = Uint16Array.of(0x3c00, 0x3c01, 0x0001);
  await writeFile(
    model,
    encodeSafetensors([
      ["w", { dtype: "F32", shape: [data.length], data }],
      ["h", { dtype: "F16", shape: [3], data: half }],
    ]),
  );
});
afterAll(() => rm(folder, { recursive: true }));

interface Told {
  readonly name: string;
  readonly device?: string;
  readonly reasons?: readonly string[];
  readonly message?: string;
  readonly sha256?: string;
}

/** Makes an engine of the built package in a process with these options and variables, aggregates, and tells what it was told. */
async function inProcess(flags: readonly string[], init: CreateEngineInit, env: Readonly<Record<string, string>> = {}): Promise<Told> {
  const program = `
    const { createEngine, fedAvg, WasmEngine } = await import(${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)});
    const init = ${JSON.stringify(init)};
    const tell = (told) => process.stdout.write(JSON.stringify(told));
    try {
      const { engine, device, reasons } = await createEngine({ nowMs: () => 0 }, init);
      const session = await engine.open({ model: ${JSON.stringify(model)}, strategy: fedAvg(), paramsType: "FULL" });
      for (const weight of [1, 2, 4])
        await session.add({ contributor: "site-" + weight, weight, source: ${JSON.stringify(model)}, paramsType: "FULL" });
      const { sha256 } = await session.finish({ outPath: ${JSON.stringify(join(folder, "out.safetensors"))}, isDurable: false });
      await engine.close();
      tell({ name: engine.name, device, reasons, sha256 });
    } catch ({ code, message }) {
      tell({ name: code, message });
    }`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--input-type=module", "--eval", program], {
    cwd: folder,
    env: { ...process.env, FLARE_SOFTWARE_GPU: "", ...env },
  });
  return JSON.parse(stdout) as Told;
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const permissions = ["--permission", `--allow-fs-read=${repository}`, `--allow-fs-read=${tmpdir()}`, `--allow-fs-write=${tmpdir()}`];

describe("one model", () => {
  it("has the same bytes with vector instructions and without, with threads and without, with WebAssembly and without", async () => {
    const hashes = new Set<string | undefined>();
    for (const [flags, init] of [
      [[], {}],
      [[], { engine: "js" }],
      [[], { engine: "wasm", threads: 3 }],
      [["--jitless"], {}],
      [permissions, {}],
    ] as const) {
      const { name, sha256, message } = await inProcess(flags, init);
      expect([name, message]).toEqual([expect.stringMatching(/^cpu-(wasm|js)-exact$/), undefined]);
      hashes.add(sha256);
    }
    for (const threads of [1, 2]) {
      const engine = await WasmEngine.create({ nowMs }, { threads, isSimdAllowed: false });
      expect(engine.device).toMatch(/^cpu, WebAssembly without vector instructions/);
      const session = await engine.open({ model, strategy: fedAvg(), paramsType: "FULL" });
      for (const weight of [1, 2, 4]) await session.add({ contributor: `site-${weight}`, weight, source: model, paramsType: "FULL" });
      hashes.add((await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false })).sha256);
      await engine.close();
    }
    expect([...hashes]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});

const devices = {
  webgpu: async (): Promise<OpenedDevice> => ({ device: new FakeDevice() }),
  gpu: async (): Promise<OpenedDevice> => ({ device: new FakeDevice({ isExact: false }) }),
};
const noDevices = {
  webgpu: async (): Promise<OpenedDevice> => ({ reason: "There is no adapter." }),
  gpu: async (): Promise<OpenedDevice> => ({ reason: "There is no TensorFlow." }),
};
const modes = ["exact", "fast", "float64"] as const;

const made: readonly (readonly [CreateEngineInit["engine"], CreateEngineInit["mode"], string])[] = [
  ...(["auto", "cpu", "wasm"] as const).flatMap((engine) => modes.map((mode) => [engine, mode, `cpu-wasm-${mode}`] as const)),
  ["js", "exact", "cpu-js-exact"],
  ["webgpu", "exact", "webgpu-exact"],
  ["webgpu", "fast", "webgpu-fast"],
  ["gpu", "fast", "webgpu-fast"],
];
const refused = engineNames.flatMap((engine) =>
  modes.flatMap((mode) => (made.some(([other, its]) => other === engine && its === mode) ? [] : [[engine, mode] as const])),
);

describe("each engine in each mode", () => {
  it.each(made)("says what it uses: %s, %s", async (engine, mode, name) => {
    const chosen = await createEngine({ nowMs, openers: devices }, { engine, mode, threads: 1 });
    expect(chosen.engine.name).toBe(name);
    expect(chosen.device).toBe(chosen.engine.device);
    expect(chosen.reasons).toEqual(engine === "js" ? ["Plain JavaScript was asked for."] : []);
    await chosen.engine.close();
  });

  it.each(refused)("says that it cannot be: %s, %s", async (engine, mode) => {
    await expect(createEngine({ nowMs, openers: devices }, { engine, mode, threads: 1 })).rejects.toMatchObject({
      code: "aggregate/engine-unavailable",
      message: expect.stringMatching(/^[A-Z].{10,}\.$/),
      facts: { engine, mode },
    });
  });

  it.each(["webgpu", "gpu"] as const)("names why there is no device: %s", async (engine) => {
    await expect(createEngine({ nowMs, openers: noDevices }, { engine, mode: "fast" })).rejects.toMatchObject({
      code: "aggregate/engine-unavailable",
      message: expect.stringMatching(/There is no (adapter|TensorFlow)\./),
    });
  });

  it("without GPU packages tells of both and takes the CPU", async () => {
    const workload = { updates: 2, elements: 1000, combine: "mean" } as const;
    const chosen = await createEngine({ nowMs, openers: noDevices }, { mode: "fast", threads: 1, workload });
    expect([chosen.engine.name, ...chosen.reasons]).toEqual([
      "cpu-wasm-fast",
      "webgpu: There is no adapter.",
      "gpu: There is no TensorFlow.",
    ]);
    await chosen.engine.close();
  });
});

describe("the package for a GPU", () => {
  const standIns: StandIn[] = [];
  const withPackage = async (text: string): Promise<Readonly<Record<string, string>>> => {
    const standIn = await standInTfjsGpu(text);
    standIns.push(standIn);
    return { [tfjsGpuFolderVariable]: standIn.folder };
  };
  afterAll(() => Promise.all(standIns.map((each) => each.remove())));

  it("that aborts its process is a reason, and the CPU is used where it may be", async () => {
    const env = await withPackage("process.abort();");
    const asked = await inProcess([], { engine: "gpu", mode: "fast" }, env);
    expect([asked.name, asked.message]).toEqual(["aggregate/engine-unavailable", expect.stringContaining("SIGABRT")]);
    const auto = await inProcess([], { mode: "fast", workload: { updates: 2, elements: 100, combine: "mean" } }, env);
    expect([auto.name, auto.reasons?.at(-1)]).toEqual(["cpu-wasm-fast", expect.stringMatching(/^gpu: .*SIGABRT/)]);
  });

  it("that works is used where it is asked for", async () => {
    const env = await withPackage(computingPackage({ isUsingGpuDevice: true }));
    expect(await inProcess([], { engine: "gpu", mode: "fast" }, env)).toMatchObject({
      name: "tfjs-fast",
      device: expect.stringContaining("TensorFlow 2.9.1"),
      reasons: [],
    });
  });
});

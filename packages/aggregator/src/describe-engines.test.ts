import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { describeEngines } from "./describe-engines.js";
import type { CombineDevice } from "./device/combine-device.js";
import { computingPackage, standInTfjsGpu } from "./tfjs/stand-in-tfjs-gpu.test-support.js";

it("says of each engine what it runs on, or why not and what to do", async () => {
  expect(await describeEngines({ folders: [tmpdir()], openWebgpu: async () => ({ reason: "There is no adapter." }) })).toEqual([
    { engine: "wasm", isAvailable: true, device: expect.stringMatching(/^cpu, WebAssembly with vector instructions, \d threads?$/) },
    { engine: "js", isAvailable: true, device: "cpu, plain JavaScript, 1 thread" },
    { engine: "webgpu", isAvailable: false, reason: "There is no adapter.", advice: expect.stringContaining("npm install webgpu") },
    {
      engine: "gpu",
      isAvailable: false,
      reason: `@tensorflow/tfjs-node-gpu is not found from ${tmpdir()}.`,
      advice: expect.stringContaining("flare gpu setup --stock"),
    },
  ]);
});

it("names the GPUs, and closes what it opened", async () => {
  let isClosed = false;
  const device = { device: "an adapter", close: async () => void (isClosed = true) } as unknown as CombineDevice;
  const standIn = await standInTfjsGpu(computingPackage({ isUsingGpuDevice: true }));
  try {
    const described = await describeEngines({ folders: [standIn.folder], openWebgpu: async () => ({ device }) });
    expect(described.slice(2)).toEqual([
      { engine: "webgpu", isAvailable: true, device: "an adapter" },
      { engine: "gpu", isAvailable: true, device: "an NVIDIA GPU (TensorFlow 2.9.1, tfjs-node-gpu 4.22.0)" },
    ]);
    expect(isClosed).toBe(true);
  } finally {
    await standIn.remove();
  }
});

it("says what is missing in a process without WebAssembly", async () => {
  const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
  const program = `const { describeEngines } = await import(${entry}); console.log(JSON.stringify(await describeEngines({ folders: ["/"] })));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--jitless", "--input-type=module", "--eval", program]);
  expect(JSON.parse(stdout)).toMatchObject([
    {
      engine: "wasm",
      isAvailable: false,
      reason: "This process has no WebAssembly.",
      advice: expect.stringContaining("turns WebAssembly"),
    },
    { engine: "js", isAvailable: true },
    { engine: "gpu", isAvailable: false },
  ]);
});

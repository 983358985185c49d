import { type AggregationEngine, createEngine, openWebGpuDevice, probeInChild, tfjsDevice } from "@flare-ts/aggregator";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { afterAll, describe } from "vitest";
import { provideGpu } from "../software-gpu/provide-gpu.js";
import { aggregationEngineCompliance } from "./aggregation-engine-compliance.js";
import { serverStateCompliance } from "./server-state-compliance.js";
import { sessionCompliance } from "./session-compliance.js";
import { strategyCompliance } from "./strategy-compliance.js";

const gpu = await provideGpu();
const place = gpu.isSoftware ? "SwiftShader" : "the machine's GPU";
const openers = {
  webgpu: async () => {
    const opening = await openWebGpuDevice({ probe: probeInChild }, { isSoftwareAllowed: true });
    return opening.kind === "open" ? { device: opening.device } : { reason: opening.reason };
  },
  gpu: async () => {
    await tf.setBackend("wasm");
    return { device: tfjsDevice<tf.Tensor>({ tf, description: "WebAssembly" }) };
  },
};
const opened: AggregationEngine[] = [];
afterAll(() => Promise.all(opened.map((engine) => engine.close())));

async function engineOf(engine: "webgpu" | "gpu", mode: "exact" | "fast"): Promise<AggregationEngine> {
  const made = await createEngine({ nowMs: () => performance.now(), openers }, { engine, mode, threads: 1 });
  opened.push(made.engine);
  return made.engine;
}

describe.skipIf(gpu.kind === "missing")(`engines on ${place}${gpu.kind === "missing" ? `: ${gpu.reason}` : ""}`, async () => {
  if (gpu.kind === "missing") return;
  const exact = await engineOf("webgpu", "exact");
  aggregationEngineCompliance({ name: exact.name, engine: () => exact });
  strategyCompliance({ name: exact.name, engine: () => exact, isMiddleExact: false });
  sessionCompliance({ name: exact.name, engine: () => exact });
  serverStateCompliance({ name: exact.name, engine: () => exact });
  const fast = await engineOf("webgpu", "fast");
  aggregationEngineCompliance({ name: fast.name, engine: () => fast, sums: "float32" });
});

const tfjs = await engineOf("gpu", "fast");
aggregationEngineCompliance({ name: `${tfjs.name} on WebAssembly`, engine: () => tfjs, sums: "float32" });
strategyCompliance({ name: `${tfjs.name} on WebAssembly`, engine: () => tfjs, sums: "float32", isMiddleExact: false });
sessionCompliance({ name: `${tfjs.name} on WebAssembly`, engine: () => tfjs });
serverStateCompliance({ name: `${tfjs.name} on WebAssembly`, engine: () => tfjs });

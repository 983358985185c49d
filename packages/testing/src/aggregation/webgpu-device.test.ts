import { type CombineDevice, openWebGpuDevice, probeInChild } from "@flare-ts/aggregator";
import { describe } from "vitest";
import { provideSoftwareGpu } from "../software-gpu/provide-software-gpu.js";
import { combineDeviceCompliance } from "./combine-device-compliance.js";

const gpu = await provideSoftwareGpu();

async function open(): Promise<CombineDevice> {
  const opening = await openWebGpuDevice({ probe: probeInChild }, { isSoftwareAllowed: true });
  if (opening.kind === "unavailable") throw new Error(opening.reason);
  return opening.device;
}

describe.skipIf(gpu.kind === "missing")(`on SwiftShader${gpu.kind === "missing" ? `: ${gpu.reason}` : ""}`, () => {
  combineDeviceCompliance({ name: "webgpu", open, isExact: true });
});

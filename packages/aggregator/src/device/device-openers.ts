import process from "node:process";
import { openTfjsGpu } from "../tfjs/open-tfjs-gpu.js";
import { tfjsGpuFolders } from "../tfjs/tfjs-gpu-folders.js";
import { openWebGpuDevice } from "../webgpu/open-webgpu-device.js";
import type { CombineDevice } from "./combine-device.js";
import { probeInChild } from "./probe-in-child.js";

/** Devices by the name that they are asked for by, in the order in which `auto` tries them. */
export const deviceNames = ["webgpu", "gpu"] as const;

export type DeviceName = (typeof deviceNames)[number];

/** A device, or a sentence that says why there is none. */
export type OpenedDevice = { readonly device: CombineDevice } | { readonly reason: string };

/** How each device is opened; expected obstacles are values. */
export type DeviceOpeners = Readonly<Record<DeviceName, () => Promise<OpenedDevice>>>;

/** Says that a driver which computes on the CPU will do, for tests and trials of the code: any value but the empty one. */
export const softwareGpuVariable = "FLARE_SOFTWARE_GPU";

/** Opens devices through the packages that are installed; each driver is tried in a process of its own first. */
export const deviceOpeners: DeviceOpeners = Object.freeze({
  webgpu: async () => {
    const isSoftwareAllowed = (process.env[softwareGpuVariable] ?? "") !== "";
    const opening = await openWebGpuDevice({ probe: probeInChild }, { isSoftwareAllowed });
    return opening.kind === "open" ? { device: opening.device } : { reason: opening.reason };
  },
  gpu: async () => {
    const opened = await openTfjsGpu({ folders: tfjsGpuFolders(process.env, process.cwd()) });
    return opened.isOpen ? { device: opened.device } : { reason: `${opened.reason} ${opened.advice}` };
  },
});

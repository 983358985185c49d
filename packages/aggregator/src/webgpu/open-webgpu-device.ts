import { faultOfDevice } from "../device/check-device.js";
import type { CombineDevice } from "../device/combine-device.js";
import type { Probe } from "../device/probe-in-child.js";
import { quoted } from "../peer-text.js";
import { findWebGpu, loadWebGpu, type WebGpuPackage } from "./load-webgpu.js";
import { type DriverTrial, probeProgram } from "./probe-program.js";
import { TileRunner } from "./tile-runner.js";
import { WebGpuDevice } from "./webgpu-device.js";

export interface WebGpuComponents {
  /** Tries the driver where it can do no harm, such as `probeInChild`. */
  readonly probe: Probe;
}

export interface WebGpuInit {
  /** Whether a driver that computes on the CPU will do; it is far slower than the engines made for the CPU. @default false */
  readonly isSoftwareAllowed?: boolean;
  /** Time for the trial of the driver. @default 30 000 */
  readonly timeoutMs?: number;
}

/** Why there is no device. */
export type WebGpuObstacle =
  /** The package `webgpu` is not installed. */
  | "package-missing"
  /** Its binary cannot be loaded here. */
  | "load-failed"
  /** It finds no GPU that it can use. */
  | "no-adapter"
  /** All it finds is a driver that computes on the CPU. */
  | "software-adapter"
  /** The driver crashed, hung or failed when it was tried. */
  | "driver-failed";

/** A device, or the reason why there is none, as a sentence. */
export type WebGpuOpening =
  | { readonly kind: "open"; readonly device: CombineDevice }
  | { readonly kind: "unavailable"; readonly why: WebGpuObstacle; readonly reason: string };

/**
 * Opens the machine's GPU by WebGPU: Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows, through the package `webgpu`,
 * which need not be installed. The driver is tried first, in another process, and then the
 * device's exact sums and medians are compared with the CPU's. What is in the way is a value.
 *
 * The device's exact sums and medians have every bit of the rule; its other results err as `WebGpuDevice` says.
 */
export async function openWebGpuDevice(components: WebGpuComponents, init: WebGpuInit = {}): Promise<WebGpuOpening> {
  const found = findWebGpu();
  if (found === undefined) return unavailable("package-missing", "The package webgpu is not installed.");
  const obstacle = await obstacleOf(components.probe, found, init);
  if (obstacle !== undefined) return obstacle;
  try {
    const gpu = await loadWebGpu(found);
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) return unavailable("no-adapter", "The GPU that was there a moment ago is gone.");
    const name = nameOf(adapter.info, found);
    const runner = new TileRunner(await adapter.requestDevice(), name);
    return await checked(new WebGpuDevice({ runner }, { device: name }));
  } catch (cause) {
    return unavailable("driver-failed", `The GPU could not be opened: ${String(cause)}.`);
  }
}

/** The device, unless it cannot compute, or computes wrongly. */
async function checked(device: CombineDevice): Promise<WebGpuOpening> {
  try {
    const fault = await faultOfDevice(device);
    if (fault === undefined) return { kind: "open", device };
    await device.close();
    return unavailable("driver-failed", `The GPU computes wrongly: ${fault}.`);
  } catch (cause) {
    await device.close();
    throw cause;
  }
}

/** What stands in the way, by a trial of the driver. */
async function obstacleOf(probe: Probe, { url, version }: WebGpuPackage, init: WebGpuInit): Promise<WebGpuOpening | undefined> {
  const { isSoftwareAllowed = false, timeoutMs } = init;
  const outcome = await probe({ program: probeProgram, argument: { url }, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  if (outcome.kind === "failed") return unavailable("driver-failed", `The GPU's driver was tried. ${outcome.reason}`);
  return obstacleOfTrial(outcome.answer as DriverTrial, version, isSoftwareAllowed, outcome.wrote);
}

function obstacleOfTrial(trial: DriverTrial, version: string, isSoftwareAllowed: boolean, wrote: string): WebGpuOpening | undefined {
  const more = wrote === "" ? "" : `; the driver wrote ${wrote}`;
  if (trial.kind === "no-adapter") return unavailable(trial.kind, `The package webgpu ${version} finds no GPU that it can use${more}.`);
  if (trial.kind === "load-failed")
    return unavailable(trial.kind, `The package webgpu ${version} cannot be loaded: ${quoted(trial.reason)}.`);
  if (trial.kind === "driver-failed") return unavailable(trial.kind, `The GPU's driver failed when tried: ${quoted(trial.reason)}${more}.`);
  return trial.isSoftware && !isSoftwareAllowed
    ? unavailable("software-adapter", "The only GPU is a driver that computes on the CPU, which is slower than doing without.")
    : undefined;
}

/** Drivers fill in different ones: NVIDIA's says `nvidia-h200` for the device, no architecture, and its own version as a description. */
function nameOf({ vendor, architecture, device, description, isFallbackAdapter }: GPUAdapterInfo, { version }: WebGpuPackage): string {
  const model = architecture === "" ? device : architecture;
  const words = [model.startsWith(vendor) ? "" : vendor, model, description].filter((word) => word !== "").join(" ");
  return `${words === "" ? "a GPU" : words}${isFallbackAdapter ? ", in software" : ""}, webgpu ${version}`;
}

function unavailable(why: WebGpuObstacle, reason: string): WebGpuOpening {
  return { kind: "unavailable", why, reason };
}

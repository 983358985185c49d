import { availableParallelism } from "node:os";
import process from "node:process";
import { FlareError } from "@flare-ts/contracts/errors";
import type { AggregationEngine } from "./aggregation-engine.js";
import { chooseByTime, type Workload } from "./device/choose-by-time.js";
import type { CombineDevice } from "./device/combine-device.js";
import { DeviceEngine } from "./device/device-engine.js";
import { type DeviceName, type DeviceOpeners, deviceNames, deviceOpeners } from "./device/device-openers.js";
import { ExactJsEngine } from "./js/exact-js-engine.js";
import { jsArithmetic } from "./js/js-arithmetic.js";
import type { Arithmetic } from "./session/arithmetic.js";
import { loadKernelModule } from "./wasm/kernel-module.js";
import type { SumMode } from "./wasm/sum-mode.js";
import { wasmArithmetic } from "./wasm/wasm-arithmetic.js";
import { WasmEngine } from "./wasm/wasm-engine.js";
import { createWasmParts, maxThreads } from "./wasm/wasm-parts.js";

/** Engines by name. */
export const engineNames = ["auto", "cpu", "wasm", "js", "webgpu", "gpu"] as const;

export interface CreateEngineComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
  /** How devices are opened. @default the packages `webgpu` and `@tensorflow/tfjs-node-gpu`, each tried in a process of its own */
  readonly openers?: DeviceOpeners | undefined;
}

export interface CreateEngineInit {
  /**
   * `cpu`: the fastest that runs on the CPU; `wasm`: WebAssembly kernels; `js`: plain JavaScript, which knows the mode `exact`
   * only; `webgpu`: the GPU through Vulkan, Metal or Direct3D 12; `gpu`: the GPU through TensorFlow, which knows the mode `fast`
   * only. `auto` is `cpu` unless a workload is given and a GPU was faster with it in a short trial.
   *
   * @default "auto"
   */
  readonly engine?: (typeof engineNames)[number] | undefined;
  /** See `WasmEngineInit`. @default "exact" */
  readonly mode?: SumMode | undefined;
  /** Threads for kernels, 1 to 8. @default one for each processor, at most 4; 1 where threads are not permitted */
  readonly threads?: number | undefined;
  /** What is going to be aggregated, for `auto`. */
  readonly workload?: Workload | undefined;
  /** File that keeps what trials have shown, for `auto`; without it they are made anew in each process. */
  readonly trialsFile?: string | undefined;
}

/** An engine, and why it is this one. */
export interface ChosenEngine {
  readonly engine: AggregationEngine;
  /** What it runs on, in words. */
  readonly device: string;
  /** Sentences that say what was chosen where something else could have been. */
  readonly reasons: readonly string[];
}

/**
 * Makes the engine that is asked for, or the fastest that runs in this process, and says which and why. With `auto` every
 * shortcoming is a reason in the result; what is asked for by name is made or refused.
 *
 * @throws `aggregate/engine-unavailable`
 */
export async function createEngine(components: CreateEngineComponents, init: CreateEngineInit = {}): Promise<ChosenEngine> {
  const { engine = "auto", mode = "exact" } = init;
  if (engine === "auto") return fastest(components, init);
  if (engine === "webgpu" || engine === "gpu") return onDevice(components, engine, init);
  return engine === "js" ? plain(components, mode, ["Plain JavaScript was asked for."]) : onCpu(components, init);
}

async function onCpu(components: CreateEngineComponents, { engine, mode = "exact", threads }: CreateEngineInit): Promise<ChosenEngine> {
  const kernels = await loadKernelModule();
  if (kernels === undefined) {
    if (engine === "wasm") throw unavailable("This process has no WebAssembly.", engine, mode);
    return plain(components, mode, ["This process has no WebAssembly: plain JavaScript is used, several times slower."]);
  }
  const chosen = chooseThreads(threads);
  const made = await WasmEngine.create(components, { mode, threads: chosen.threads });
  const scalar = kernels.isSimd ? [] : ["The machine has no vector instructions for WebAssembly: scalar kernels are used."];
  return { engine: made, device: made.device, reasons: [...chosen.reasons, ...scalar] };
}

async function onDevice(components: CreateEngineComponents, engine: DeviceName, init: CreateEngineInit): Promise<ChosenEngine> {
  const { mode = "exact", threads } = init;
  if (mode === "float64") throw unavailable("Mode float64 is the CPU's: devices have no float64.", engine, mode);
  if (engine === "gpu" && mode === "exact") {
    throw unavailable("TensorFlow has no exact sums: ask for mode fast, or for the engine webgpu.", engine, mode);
  }
  const opened = await (components.openers ?? deviceOpeners)[engine]();
  if ("reason" in opened) throw unavailable(opened.reason, engine, mode);
  return deviceEngine(components, opened.device, mode, threads, []);
}

async function deviceEngine(
  { nowMs }: CreateEngineComponents,
  device: CombineDevice,
  mode: "exact" | "fast",
  threads: number | undefined,
  reasons: readonly string[],
): Promise<ChosenEngine> {
  if (mode === "exact" && !device.isExact) throw unavailable(`${device.device} has no exact sums; ask for mode fast.`, device.name, mode);
  const cpu = await cpuOf(mode, threads);
  const engine = new DeviceEngine({ nowMs, device, cpu }, { mode });
  return { engine, device: device.device, reasons };
}

/** The CPU unless a device was faster in a trial with the workload. */
async function fastest(components: CreateEngineComponents, init: CreateEngineInit): Promise<ChosenEngine> {
  const { mode = "exact", threads, workload, trialsFile } = init;
  if (workload === undefined || mode === "float64") return onCpu(components, init);
  const reasons: string[] = [];
  const openers = components.openers ?? deviceOpeners;
  for (const name of deviceNames) {
    if (name === "gpu" && mode === "exact") continue;
    const cpu = await cpuOf(mode, threads);
    const outcome = await chooseByTime(
      { nowMs: components.nowMs, cpu: cpu.arithmetic, open: openers[name] },
      { name, mode, workload, trialsFile },
    );
    await cpu.close();
    reasons.push(outcome.reason);
    if (outcome.device !== undefined) return deviceEngine(components, outcome.device, mode, threads, reasons);
  }
  const chosen = await onCpu(components, init);
  return { ...chosen, reasons: [...chosen.reasons, ...reasons] };
}

/** What computes on the CPU beside a device. */
async function cpuOf(mode: SumMode, threads: number | undefined): Promise<{ readonly arithmetic: Arithmetic; close(): Promise<void> }> {
  if ((await loadKernelModule()) === undefined) return { arithmetic: jsArithmetic, close: async () => {} };
  const parts = await createWasmParts({ threads: chooseThreads(threads).threads });
  return { arithmetic: wasmArithmetic(parts, mode), close: () => parts.threads.close() };
}

function plain(components: CreateEngineComponents, mode: SumMode, reasons: readonly string[]): ChosenEngine {
  if (mode !== "exact") throw unavailable(`Mode ${mode} needs WebAssembly; plain JavaScript knows exact alone.`, "js", mode);
  const engine = new ExactJsEngine(components);
  return { engine, device: engine.device, reasons };
}

function chooseThreads(wanted: number | undefined): { readonly threads: number; readonly reasons: readonly string[] } {
  const isPermitted = mayStartThreads();
  if (wanted !== undefined) {
    if (wanted > 1 && !isPermitted) {
      throw unavailable(`${wanted} threads were asked for, which Node's permission model denies.`, "wasm", "any");
    }
    return { threads: wanted, reasons: [] };
  }
  if (!isPermitted) return { threads: 1, reasons: ["Node's permission model denies threads: kernels run on the caller's thread."] };
  // Kernels are bound by memory, which few cores saturate; more threads are there to be asked for.
  return { threads: Math.min(availableParallelism(), 4, maxThreads), reasons: [] };
}

function mayStartThreads(): boolean {
  // Undefined where the permission model is off.
  const permission = process.permission as { has(scope: string): boolean } | undefined;
  return permission?.has("worker") ?? true;
}

function unavailable(message: string, engine: string, mode: string): FlareError {
  return new FlareError("aggregate/engine-unavailable", message, { facts: { engine, mode } });
}

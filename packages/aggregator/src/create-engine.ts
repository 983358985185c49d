import { availableParallelism } from "node:os";
import process from "node:process";
import { FlareError } from "@flare-ts/contracts";
import type { AggregationEngine } from "./aggregation-engine.js";
import { ExactJsEngine } from "./js/exact-js-engine.js";
import { loadKernelModule } from "./wasm/kernel-module.js";
import type { SumMode } from "./wasm/sum-mode.js";
import { WasmEngine, type WasmEngineComponents } from "./wasm/wasm-engine.js";
import { maxThreads } from "./wasm/wasm-parts.js";

/** Engines by name; `auto` takes the fastest that runs here. */
export const engineNames = ["auto", "wasm", "js"] as const;

export interface CreateEngineInit {
  /** `wasm`: WebAssembly kernels; `js`: plain JavaScript, which knows the mode `exact` only. @default "auto" */
  readonly engine?: (typeof engineNames)[number] | undefined;
  /** See `WasmEngineInit`. @default "exact" */
  readonly mode?: SumMode | undefined;
  /** Threads for kernels, 1 to 8. @default one for each processor, at most 4; 1 where threads are not permitted */
  readonly threads?: number | undefined;
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
export async function createEngine(components: WasmEngineComponents, init: CreateEngineInit = {}): Promise<ChosenEngine> {
  const { engine: wanted = "auto", mode = "exact" } = init;
  if (wanted === "js") return plain(components, mode, ["Plain JavaScript was asked for."]);
  const kernels = await loadKernelModule();
  if (kernels === undefined) {
    if (wanted === "wasm") throw unavailable("This process has no WebAssembly.", wanted, mode);
    return plain(components, mode, ["This process has no WebAssembly: plain JavaScript is used, several times slower."]);
  }
  const { threads, reasons } = chooseThreads(init.threads);
  const engine = await WasmEngine.create(components, { mode, threads });
  return {
    engine,
    device: engine.device,
    reasons: kernels.isSimd ? reasons : [...reasons, "The machine has no vector instructions for WebAssembly: scalar kernels are used."],
  };
}

function plain(components: WasmEngineComponents, mode: SumMode, reasons: readonly string[]): ChosenEngine {
  if (mode !== "exact") throw unavailable(`Mode ${mode} needs WebAssembly; plain JavaScript knows exact alone.`, "js", mode);
  return { engine: new ExactJsEngine(components), device: "cpu, plain JavaScript, 1 thread", reasons };
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

import { FlareError } from "@flare-ts/contracts";
import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import type { Arithmetic } from "../session/arithmetic.js";
import { openSession } from "../session/open-session.js";
import { KernelMemory } from "./kernel-memory.js";
import { loadKernelModule } from "./kernel-module.js";
import { kernelThreads } from "./kernel-threads.js";
import type { SumMode } from "./sum-mode.js";
import { wasmArithmetic } from "./wasm-arithmetic.js";
import type { WasmParts } from "./wasm-parts.js";
import { WorkSlots } from "./work-slots.js";

export interface WasmEngineComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
}

export interface WasmEngineInit {
  /**
   * `exact`: the same bytes in any order of updates, and the same as `ExactJsEngine`'s. `fast`: sums in float32, in the order
   * of the contributors' names. `float64`: sums in float64, in that order. Integer tensors are exact in every mode.
   *
   * @default "exact"
   */
  readonly mode?: SumMode;
  /** Threads that run kernels, 1 to 8; with 1 it is the caller's and no other is started. No bit depends on it. @default 1 */
  readonly threads?: number;
  /** Off to do without vector instructions, as machines that lack them do. @default true */
  readonly isSimdAllowed?: boolean;
}

/** Most threads that may be asked for; kernels wait for memory long before. */
export const maxThreads = 8;

/**
 * Aggregates on the CPU by WebAssembly kernels, with vector instructions where the machine has them, on one or several
 * threads that share memory. What it refuses and what it means is what `ExactJsEngine` does.
 *
 * Files are read straight into the memory of the kernels, 36 MiB in all whatever the model; bytes given are kept there too, up
 * to 4 GiB. That memory is let go of when the engine is closed.
 */
export class WasmEngine implements AggregationEngine {
  readonly name: string;
  readonly #nowMs: () => number;
  readonly #parts: WasmParts;
  readonly #arithmetic: Arithmetic;

  private constructor(components: WasmEngineComponents, parts: WasmParts, arithmetic: Arithmetic, name: string) {
    this.name = name;
    this.#nowMs = components.nowMs;
    this.#parts = parts;
    this.#arithmetic = arithmetic;
  }

  /** Compiles the kernels and starts the threads. @throws `aggregate/engine-unavailable`, RangeError for a number of threads */
  static async create(components: WasmEngineComponents, init: WasmEngineInit = {}): Promise<WasmEngine> {
    const { mode = "exact", threads = 1, isSimdAllowed = true } = init;
    if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads) throw new RangeError(`threads must be 1 to ${maxThreads}`);
    const kernels = await loadKernelModule(isSimdAllowed);
    if (kernels === undefined) {
      throw new FlareError("aggregate/engine-unavailable", "This process has no WebAssembly.", { facts: { engine: "wasm" } });
    }
    const memory = new KernelMemory(kernels);
    const parts: WasmParts = {
      memory,
      threads: kernelThreads(kernels, memory, threads),
      slots: new WorkSlots(memory, threads + 2),
    };
    const device = `cpu, WebAssembly ${kernels.isSimd ? "with" : "without"} vector instructions, ${threads} ${threads === 1 ? "thread" : "threads"}`;
    return new WasmEngine(components, parts, wasmArithmetic(parts, mode, device), `cpu-wasm-${mode}`);
  }

  /** Bytes of memory that the kernels have taken so far. */
  get kernelBytes(): number {
    return this.#parts.memory.size;
  }

  /** What the kernels run on, in words. */
  get device(): string {
    return this.#arithmetic.device;
  }

  open(init: AggregationInit): Promise<AggregationSession> {
    return openSession({ nowMs: this.#nowMs, arithmetic: this.#arithmetic }, this.name, init);
  }

  close(): Promise<void> {
    return this.#parts.threads.close();
  }
}

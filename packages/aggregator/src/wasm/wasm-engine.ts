import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import type { Arithmetic } from "../session/arithmetic.js";
import { openSession } from "../session/open-session.js";
import type { SumMode } from "./sum-mode.js";
import { wasmArithmetic } from "./wasm-arithmetic.js";
import { createWasmParts, type WasmParts, type WasmPartsInit } from "./wasm-parts.js";

export interface WasmEngineComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
}

export interface WasmEngineInit extends WasmPartsInit {
  /**
   * `exact`: the same bytes in any order of updates, and the same as `ExactJsEngine`'s. `fast`: sums in float32, in the order
   * of the contributors' names. `float64`: sums in float64, in that order. Integer tensors are exact in every mode.
   *
   * @default "exact"
   */
  readonly mode?: SumMode;
}

/**
 * Aggregates on the CPU by WebAssembly kernels, with vector instructions where the machine has them, on one or several
 * threads that share memory. What it refuses and what it means is what `ExactJsEngine` does.
 *
 * Threads read files straight into the memory of the kernels, about 30 MiB with two threads whatever the model; bytes given
 * are kept there too, as long as there is room in its 4 GiB. That memory is let go of when the engine is closed.
 */
export class WasmEngine implements AggregationEngine {
  readonly name: string;
  readonly #nowMs: () => number;
  readonly #parts: WasmParts;
  readonly #arithmetic: Arithmetic;

  private constructor(components: WasmEngineComponents, parts: WasmParts, mode: SumMode) {
    this.name = `cpu-wasm-${mode}`;
    this.#nowMs = components.nowMs;
    this.#parts = parts;
    this.#arithmetic = wasmArithmetic(parts, mode);
  }

  /** Compiles the kernels and starts the threads. @throws as `createWasmParts` */
  static async create(components: WasmEngineComponents, init: WasmEngineInit = {}): Promise<WasmEngine> {
    return new WasmEngine(components, await createWasmParts(init), init.mode ?? "exact");
  }

  /** Bytes of memory that the kernels have taken so far. */
  get kernelBytes(): number {
    return this.#parts.memory.size;
  }

  get device(): string {
    return this.#parts.device;
  }

  open(init: AggregationInit): Promise<AggregationSession> {
    return openSession({ nowMs: this.#nowMs, arithmetic: this.#arithmetic }, this.name, init);
  }

  close(): Promise<void> {
    return this.#parts.threads.close();
  }
}

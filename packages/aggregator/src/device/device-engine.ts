import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import type { Arithmetic } from "../session/arithmetic.js";
import { openSession } from "../session/open-session.js";
import type { CombineDevice } from "./combine-device.js";
import { type DeviceArithmeticInit, deviceArithmetic } from "./device-arithmetic.js";

export interface DeviceEngineComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
  readonly device: CombineDevice;
  /** What checks updates, and goes on where the device cannot; closed together with the engine. */
  readonly cpu: { readonly arithmetic: Arithmetic; close(): Promise<void> };
}

/**
 * Aggregates on a device, such as a GPU. Mode `exact` gives the bytes of the CPU's engines; mode `fast` sums in float32. Trimmed
 * means may differ in their last bits, as the device says.
 */
export class DeviceEngine implements AggregationEngine {
  readonly name: string;
  readonly #components: DeviceEngineComponents;
  readonly #arithmetic: Arithmetic;

  constructor(components: DeviceEngineComponents, init: DeviceArithmeticInit) {
    this.name = `${components.device.name}-${init.mode}`;
    this.#components = components;
    this.#arithmetic = deviceArithmetic(components.device, components.cpu.arithmetic, init);
  }

  get device(): string {
    return this.#arithmetic.device;
  }

  open(init: AggregationInit): Promise<AggregationSession> {
    return openSession({ nowMs: this.#components.nowMs, arithmetic: this.#arithmetic }, this.name, init);
  }

  async close(): Promise<void> {
    await Promise.all([this.#components.device.close(), this.#components.cpu.close()]);
  }
}

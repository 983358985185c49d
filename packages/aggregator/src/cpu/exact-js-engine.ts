import { throwIfAborted } from "../abort.js";
import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import { announcedGrid } from "../exact/exact-scale.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import { isFloatDtype } from "../tensor.js";
import { ExactJsSession } from "./exact-js-session.js";
import { indexModel } from "./match-layout.js";

export interface ExactJsEngineComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
}

/**
 * Aggregates on the CPU in plain JavaScript, with the same bits in any order of updates; the reference that other engines
 * are compared with.
 *
 * It checks an update when it is added and folds all of them, batch by batch, when the session is finished. So an update that
 * is refused never has to be taken back, the grid can follow from the updates, and memory is a few batches of 1 MiB whatever
 * the size of the model and the number of updates; the price is that each file is read twice.
 *
 * Numbers are little-endian in the format and are used as they lie in memory, as on every platform that Node is built for
 * but one (s390x).
 */
export class ExactJsEngine implements AggregationEngine {
  readonly name = "cpu-js-exact";
  readonly #nowMs: () => number;

  constructor(components: ExactJsEngineComponents) {
    this.#nowMs = components.nowMs;
  }

  async open(init: AggregationInit): Promise<AggregationSession> {
    throwIfAborted(init.signal);
    const startMs = this.#nowMs();
    const layout = typeof init.model === "string" ? await readSafetensorsHeader(init.model) : init.model;
    const { scale } = init;
    const announced =
      scale === undefined ? undefined : layout.tensors.map(({ name, dtype }) => (isFloatDtype(dtype) ? announcedGrid(scale, name) : 0));
    return new ExactJsSession(
      { nowMs: this.#nowMs },
      {
        engine: this.name,
        model: indexModel(layout),
        strategy: init.strategy.name,
        paramsType: init.paramsType,
        announced: announced === undefined ? undefined : Float64Array.from(announced),
        startMs,
      },
    );
  }
}

import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import { jsArithmetic } from "./cpu-arithmetic.js";
import { openCpuSession } from "./open-cpu-session.js";

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

  open(init: AggregationInit): Promise<AggregationSession> {
    return openCpuSession({ nowMs: this.#nowMs, arithmetic: jsArithmetic }, this.name, init);
  }

  async close(): Promise<void> {}
}

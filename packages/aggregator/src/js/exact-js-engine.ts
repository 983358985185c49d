import type { AggregationEngine, AggregationInit, AggregationSession } from "../aggregation-engine.js";
import { openSession } from "../session/open-session.js";
import { jsArithmetic } from "./js-arithmetic.js";

export interface ExactJsEngineComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
}

/**
 * Aggregates on the CPU in plain JavaScript, with the same bits in any order of updates; the reference that other engines
 * are compared with.
 *
 * All updates are folded batch by batch when the session is finished. So an update that is refused never has to be taken back,
 * the grid can follow from the updates, and memory is a few batches of 1 MiB whatever the size of the model and the number of
 * updates.
 *
 * Numbers are little-endian in the format and are used as they lie in memory, as on every platform that Node is built for
 * but one (s390x).
 */
export class ExactJsEngine implements AggregationEngine {
  readonly name = "cpu-js-exact";
  readonly device = jsArithmetic.device;
  readonly #nowMs: () => number;

  constructor(components: ExactJsEngineComponents) {
    this.#nowMs = components.nowMs;
  }

  open(init: AggregationInit): Promise<AggregationSession> {
    return openSession({ nowMs: this.#nowMs, arithmetic: jsArithmetic }, this.name, init);
  }

  async close(): Promise<void> {}
}

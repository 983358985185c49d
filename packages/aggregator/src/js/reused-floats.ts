import { batchElements } from "../session/batches.js";

/** Numbers for one batch after another, in room that grows with the batches: a small model takes little, and a large one grows seldom. */
export class ReusedFloats {
  #values = new Float64Array(0);

  /** At least so many; what was in them before may be gone. */
  of(elements: number): Float64Array {
    if (this.#values.length < elements) {
      this.#values = new Float64Array(Math.max(elements, Math.min(batchElements, 2 ** Math.ceil(Math.log2(elements)))));
    }
    return this.#values;
  }
}

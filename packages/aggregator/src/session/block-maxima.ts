import type { TensorSpec } from "../safetensors/layout.js";
import { elementsOf, isFloatDtype } from "../tensor.js";
import { blockElements, type Piece } from "./batches.js";

/**
 * The largest magnitude of each block of an update's floating tensors, as found when the update was checked: enough to choose the
 * grids of exact sums without looking at the values again. 8 bytes for 16,384 elements.
 */
export class BlockMaxima {
  readonly #starts: Float64Array;
  readonly #maxima: Float64Array;

  constructor(tensors: readonly TensorSpec[]) {
    this.#starts = new Float64Array(tensors.length + 1);
    for (const [tensor, { dtype, shape }] of tensors.entries()) {
      const blocks = isFloatDtype(dtype) ? Math.ceil((elementsOf(shape) ?? 0) / blockElements) : 0;
      this.#starts[tensor + 1] = (this.#starts[tensor] as number) + blocks;
    }
    this.#maxima = new Float64Array(this.#starts[tensors.length] as number);
  }

  /** Takes what was found in a piece. */
  note(piece: Piece, maxAbs: number): void {
    const block = this.#blockOf(piece);
    this.#maxima[block] = Math.max(this.#maxima[block] ?? 0, maxAbs);
  }

  /** The largest magnitude in the block of a piece; 0 where the update lacks the tensor. */
  of(piece: Piece): number {
    return this.#maxima[this.#blockOf(piece)] ?? 0;
  }

  /** The largest magnitude of a tensor. */
  ofTensor(tensor: number): number {
    let largest = 0;
    for (let block = this.#starts[tensor] ?? 0; block < (this.#starts[tensor + 1] ?? 0); block++)
      largest = Math.max(largest, this.#maxima[block] ?? 0);
    return largest;
  }

  #blockOf({ tensor, firstElement }: Piece): number {
    return (this.#starts[tensor] ?? 0) + Math.floor(firstElement / blockElements);
  }
}

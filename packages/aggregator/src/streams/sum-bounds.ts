import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import type { Piece } from "../session/batches.js";

/** Told of each piece of an update, in order, and of its largest term. @throws `aggregate/out-of-range` */
export type SumGuard = (piece: Piece, largestTerm: number) => void;

/** Half of what float32 holds: rounding cannot bring a sum from here to infinity. */
const mostMagnitude = 2 ** 127;

/** Keeps sums in float32 finite by how large those of each tensor can be at most. */
export class SumBounds {
  readonly #tensors: readonly TensorPlace[];
  readonly #bounds: Float64Array;

  constructor(tensors: readonly TensorPlace[]) {
    this.#tensors = tensors;
    this.#bounds = new Float64Array(tensors.length);
  }

  /** Guards the sums against one more update. */
  guard(contributor: string): SumGuard {
    let current = -1;
    let largest = 0;
    return ({ tensor, dtype }, largestTerm) => {
      if (tensor !== current) largest = 0;
      current = tensor;
      // Sums of F64 are in float64, which has room for all terms that there can be.
      if (dtype === "F64" || largestTerm <= largest) return;
      const bound = (this.#bounds[tensor] as number) + (largestTerm - largest);
      if (!(bound < mostMagnitude)) throw this.#beyond(contributor, tensor, largestTerm);
      this.#bounds[tensor] = bound;
      largest = largestTerm;
    };
  }

  #beyond(contributor: string, tensor: number, largestTerm: number): FlareError {
    const name = this.#tensors[tensor]?.name ?? "";
    return new FlareError(
      "aggregate/out-of-range",
      `Tensor ${quoted(name)} of ${quoted(contributor)} holds values with which its sums could be beyond float32.`,
      { facts: { contributor, tensor: name.slice(0, limits.peerTextChars), term: largestTerm } },
    );
  }
}

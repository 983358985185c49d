import { FlareError, limits } from "@flare-ts/contracts/errors";
import { isOnGrid, maxMagnitude } from "../exact/exact-scale.js";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import type { TensorData } from "../tensor.js";
import type { Piece } from "./batches.js";
import { BlockMaxima } from "./block-maxima.js";

/** What a scan over floating elements finds. */
export interface Scanned {
  /** Largest absolute value; what is not finite need not show in it. */
  readonly maxAbs: number;
  /** Sum of squares: not finite where a value is not, or where one is beyond the range anyway. */
  readonly squares: number;
}

export interface UpdateFindingsInit {
  readonly tensors: readonly TensorPlace[];
  readonly contributor: string;
  /** Factor on the values, and the grids that they must fit, where those were announced. */
  readonly announced: { readonly factor: number; readonly gridBits: Float64Array } | undefined;
}

/** Gathers what is found in the pieces of an update, in order, and refuses what is not fit. */
export class UpdateFindings {
  readonly maxima: BlockMaxima;
  readonly #init: UpdateFindingsInit;
  #squares = 0;

  constructor(init: UpdateFindingsInit) {
    this.#init = init;
    this.maxima = new BlockMaxima(init.tensors);
  }

  /** Euclidean norm over all floating tensors. */
  get norm(): number {
    return Math.sqrt(this.#squares);
  }

  /** @throws `aggregate/value-invalid` */
  addInteger({ tensor, dtype }: Piece, values: TensorData): void {
    if (dtype === "BOOL" && (values as Uint8Array).some((value) => value > 1)) {
      throw this.#refused("aggregate/value-invalid", "holds a byte other than 0 and 1", tensor);
    }
  }

  /**
   * @param values - gives the elements again, for the message
   * @throws `aggregate/not-finite`, `aggregate/out-of-range`
   */
  addFloat(piece: Piece, { maxAbs, squares }: Scanned, values: () => Float32Array | Float64Array): void {
    const { tensor } = piece;
    if (!Number.isFinite(squares)) {
      const elements = values();
      const index = elements.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) {
        throw this.#refused("aggregate/not-finite", `holds ${String(elements[index])} at element ${piece.firstElement + index}`, tensor);
      }
    }
    if (maxAbs >= maxMagnitude) throw this.#refused("aggregate/out-of-range", `holds a value of ${maxAbs}`, tensor);
    this.#requireOnGrid(tensor, maxAbs);
    this.maxima.note(piece, maxAbs);
    this.#squares += squares;
  }

  #requireOnGrid(tensor: number, maxAbs: number): void {
    const { announced, contributor, tensors } = this.#init;
    if (announced === undefined) return;
    const gridBits = announced.gridBits[tensor] ?? 0;
    if (isOnGrid(maxAbs * Math.abs(announced.factor), gridBits)) return;
    const name = tensors[tensor]?.name ?? "";
    throw new FlareError(
      "aggregate/out-of-range",
      `Tensor ${quoted(name)} of ${quoted(contributor)} holds a value of ${maxAbs}, which with the weight ${announced.factor} is beyond the announced scale.`,
      { facts: { contributor, tensor: name.slice(0, limits.peerTextChars), value: maxAbs, weight: announced.factor, gridBits } },
    );
  }

  #refused(code: "aggregate/not-finite" | "aggregate/value-invalid" | "aggregate/out-of-range", what: string, tensor: number): FlareError {
    const { tensors, contributor } = this.#init;
    const name = tensors[tensor]?.name ?? "";
    return new FlareError(code, `Tensor ${quoted(name)} of ${quoted(contributor)} ${what}.`, {
      facts: { contributor, tensor: name.slice(0, limits.peerTextChars) },
    });
  }
}

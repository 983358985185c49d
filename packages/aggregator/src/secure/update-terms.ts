import { FlareError, limits } from "@flare-ts/contracts/errors";
import { termBits } from "../exact/exact-scale.js";
import { PieceValues } from "../js/piece-values.js";
import { quoted } from "../peer-text.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import type { Batch, Piece } from "../session/batches.js";
import { planReads, type StoredPiece } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import { UpdateFindings } from "../session/update-findings.js";
import { isFloatDtype, type TensorData } from "../tensor.js";
import { kernelType } from "../wasm/kernel-program.js";
import type { MaskedFormat } from "./masked-format.js";
import type { WordKernels } from "./word-kernels.js";

/** Terms of integers stay below so many. */
const integerLimit = 2n ** BigInt(termBits);

export interface UpdateTermsInit extends ReadableUpdate {
  readonly format: MaskedFormat;
  readonly contributor: string;
  /** As it was rounded for the round. */
  readonly weight: number;
  readonly kernels: WordKernels;
}

/** An update as the whole numbers that sums are made of: weight × value in steps of the grid; zeros for tensors that it lacks. */
export class UpdateTerms {
  readonly #init: UpdateTermsInit;
  readonly #findings: UpdateFindings;
  readonly #values = new PieceValues();

  constructor(init: UpdateTermsInit) {
    const { format, contributor, weight } = init;
    this.#init = init;
    const { tensors } = format.model;
    this.#findings = new UpdateFindings({ tensors, contributor, announced: { factor: weight, gridBits: format.gridBits } });
  }

  /**
   * Makes the kernels' words the terms of a batch, one for each of its elements.
   *
   * @throws `aggregate/not-finite`, `aggregate/value-invalid`, `aggregate/out-of-range`, `file/unreadable`
   */
  async write({ pieces }: Batch): Promise<void> {
    const { source, stored, kernels } = this.#init;
    const plan = planReads(stored, pieces);
    await readPieces(source, plan, kernels.input);
    for (const [index, piece] of pieces.entries()) {
      const place = plan.pieces[index];
      if (place === undefined) kernels.words.fill(0n, piece.element, piece.element + piece.count);
      else if (isFloatDtype(piece.dtype)) this.#floats(piece, place);
      else this.#integers(piece, this.#values.raw(kernels.input, place.at, piece.dtype, piece.count));
    }
  }

  #floats(piece: Piece, place: StoredPiece): void {
    const { kernels, weight, format } = this.#init;
    const { element, count, tensor } = piece;
    const values = (): Float32Array | Float64Array => this.#values.floats(kernels.input, place, piece);
    const type = place.stored.kind === "plain" ? kernelType(place.stored.dtype) : undefined;
    const inputAt = type === undefined ? kernels.putDecoded(values()) : place.at;
    this.#findings.addFloat(piece, kernels.scan(type ?? "F32", inputAt, count), values);
    kernels.terms(type ?? "F32", inputAt, { from: element, count }, weight, format.gridBits[tensor] ?? 0);
  }

  #integers(piece: Piece, values: TensorData): void {
    const { kernels } = this.#init;
    this.#findings.addInteger(piece, values);
    const weight = BigInt(this.#init.weight);
    for (let i = 0; i < values.length; i++) {
      const term = weight * BigInt(values[i] as number | bigint);
      if (term >= integerLimit || term <= -integerLimit) throw this.#beyond(piece, values[i] as number | bigint);
      kernels.words[piece.element + i] = term;
    }
  }

  #beyond({ tensor }: Piece, value: number | bigint): FlareError {
    const { format, contributor, weight } = this.#init;
    const name = format.model.tensors[tensor]?.name ?? "";
    return new FlareError(
      "aggregate/out-of-range",
      `Tensor ${quoted(name)} of ${quoted(contributor)} holds ${value}, which times the weight ${weight} is beyond 2^${termBits}.`,
      { facts: { contributor, tensor: name.slice(0, limits.peerTextChars), value: String(value), weight } },
    );
  }
}

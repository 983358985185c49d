import { FlareError, limits } from "@flare-ts/contracts/errors";
import { termBits } from "../exact/exact-scale.js";
import { PieceValues } from "../js/piece-values.js";
import { scanFloats } from "../js/scan-floats.js";
import { quoted } from "../peer-text.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import type { Batch, Piece } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { ReusedBuffer, readPieces } from "../session/read-pieces.js";
import { UpdateFindings } from "../session/update-findings.js";
import { isFloatDtype, type TensorData } from "../tensor.js";
import type { MaskedFormat } from "./masked-format.js";

/** Terms of integers stay below so many. */
const integerLimit = 2n ** BigInt(termBits);

/** An update as the whole numbers that sums are made of: weight × value in steps of the grid; zeros for tensors that it lacks. */
export class UpdateTerms {
  readonly #format: MaskedFormat;
  readonly #update: ReadableUpdate;
  readonly #contributor: string;
  readonly #weight: number;
  readonly #findings: UpdateFindings;
  readonly #buffer = new ReusedBuffer();
  readonly #values = new PieceValues();

  constructor(
    format: MaskedFormat,
    update: ReadableUpdate,
    { contributor, weight }: { readonly contributor: string; readonly weight: number },
  ) {
    this.#format = format;
    this.#update = update;
    this.#contributor = contributor;
    this.#weight = weight;
    const { tensors } = format.model;
    this.#findings = new UpdateFindings({ tensors, contributor, announced: { factor: weight, gridBits: format.gridBits } });
  }

  /**
   * Writes the terms of a batch, one for each of its elements.
   *
   * @throws `aggregate/not-finite`, `aggregate/value-invalid`, `aggregate/out-of-range`, `file/unreadable`
   */
  async write({ pieces }: Batch, into: BigInt64Array): Promise<void> {
    const { source, stored } = this.#update;
    const plan = planReads(stored, pieces);
    const bytes = this.#buffer.of(plan.bytes);
    await readPieces(source, plan, bytes);
    for (const [index, piece] of pieces.entries()) {
      const place = plan.pieces[index];
      const terms = into.subarray(piece.element, piece.element + piece.count);
      if (place === undefined) terms.fill(0n);
      else if (isFloatDtype(piece.dtype)) this.#floats(piece, this.#values.floats(bytes, place, piece), terms);
      else this.#integers(piece, this.#values.raw(bytes, place.at, piece.dtype, piece.count), terms);
    }
  }

  #floats(piece: Piece, values: Float32Array | Float64Array, terms: BigInt64Array): void {
    this.#findings.addFloat(piece, scanFloats(values), () => values);
    const gridBits = this.#format.gridBits[piece.tensor] ?? 0;
    const perStep = 2 ** gridBits;
    // Adding and taking away such a number rounds to whole steps, to nearest, ties to even.
    const magic = 1.5 * 2 ** (52 - gridBits);
    for (let i = 0; i < values.length; i++) terms[i] = BigInt((this.#weight * (values[i] as number) + magic - magic) * perStep);
  }

  #integers(piece: Piece, values: TensorData, terms: BigInt64Array): void {
    this.#findings.addInteger(piece, values);
    const weight = BigInt(this.#weight);
    for (let i = 0; i < values.length; i++) {
      const term = weight * BigInt(values[i] as number | bigint);
      if (term >= integerLimit || term <= -integerLimit) throw this.#beyond(piece, values[i] as number | bigint);
      terms[i] = term;
    }
  }

  #beyond({ tensor }: Piece, value: number | bigint): FlareError {
    const name = this.#format.model.tensors[tensor]?.name ?? "";
    return new FlareError(
      "aggregate/out-of-range",
      `Tensor ${quoted(name)} of ${quoted(this.#contributor)} holds ${value}, which times the weight ${this.#weight} is beyond 2^${termBits}.`,
      {
        facts: { contributor: this.#contributor, tensor: name.slice(0, limits.peerTextChars), value: String(value), weight: this.#weight },
      },
    );
  }
}

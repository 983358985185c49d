import { FlareError, limits } from "@flare-ts/contracts";
import { throwIfAborted } from "../abort.js";
import type { ByteSource } from "../byte-source.js";
import { maxMagnitude } from "../exact/exact-scale.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import { readLayout } from "../safetensors/read-header.js";
import { isFloatDtype, type TensorData } from "../tensor.js";
import { batchBytes, type Piece, planBatches, readBatch } from "./batches.js";
import { type ModelIndex, matchLayout } from "./match-layout.js";
import { PieceViews } from "./piece-views.js";

/** What one pass over an update finds. */
export interface InspectedUpdate {
  /** Where each tensor of the model begins in the file; -1 where it is absent. */
  readonly offsets: Float64Array;
  /** Largest absolute value of each tensor of the model; 0 where it is absent, infinity for 64-bit integers. */
  readonly maxAbs: Float64Array;
  /** Euclidean norm over all floating tensors. */
  readonly norm: number;
  readonly tensors: number;
}

/**
 * Reads all of an update once and refuses it if any part is not fit to be folded.
 *
 * @param who - the contributor, for messages
 * @throws as `AggregationSession.add`
 */
export async function inspectUpdate(
  source: ByteSource,
  model: ModelIndex,
  who: string,
  signal: AbortSignal | undefined,
): Promise<InspectedUpdate> {
  const { layout, offsets, findings } = await beginInspection(source, model, who, signal);
  const buffer = new Uint8Array(Math.min(batchBytes, layout.totalBytes - layout.dataOffset));
  const views = new PieceViews();
  for (const batch of planBatches(model.tensors, (tensor) => (offsets[tensor] ?? -1) >= 0)) {
    throwIfAborted(signal);
    await readBatch(source, offsets, batch, buffer);
    for (const piece of batch.pieces) {
      if (!isFloatDtype(piece.dtype)) {
        findings.addInteger(piece, views.raw(buffer, piece));
        continue;
      }
      const values = views.floats(buffer, piece);
      findings.addFloat(piece, values instanceof Float32Array ? scanFloat32(values) : scanFloat64(values), () => values);
    }
  }
  return { offsets, maxAbs: findings.maxAbs, norm: Math.sqrt(findings.squares), tensors: layout.tensors.length };
}

/** Reads an update's header and matches it with the model. @throws as `AggregationSession.add` */
export async function beginInspection(
  source: ByteSource,
  model: ModelIndex,
  who: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly layout: SafetensorsLayout; readonly offsets: Float64Array; readonly findings: UpdateFindings }> {
  throwIfAborted(signal);
  const layout = await readLayout(source);
  if (layout.tensors.length === 0) {
    throw new FlareError("aggregate/update-empty", `The update of ${quoted(who)} holds no tensor.`, { facts: { contributor: who } });
  }
  return { layout, offsets: matchLayout(model, layout, who), findings: new UpdateFindings(model, who) };
}

/** What a scan over floating elements finds. */
export interface Scanned {
  /** Largest absolute value; what is not finite need not show in it. */
  readonly maxAbs: number;
  /** Sum of squares: not finite where a value is not, or where one is beyond the range anyway. */
  readonly squares: number;
}

/** Gathers what is found in the pieces of an update, in order, and refuses what is not fit. */
export class UpdateFindings {
  readonly maxAbs: Float64Array;
  squares = 0;
  readonly #model: ModelIndex;
  readonly #who: string;

  constructor(model: ModelIndex, who: string) {
    this.#model = model;
    this.#who = who;
    this.maxAbs = new Float64Array(model.tensors.length);
  }

  /** @throws `aggregate/value-invalid` */
  addInteger({ tensor, dtype }: Piece, values: TensorData): void {
    const largest = largestInteger(values);
    if (dtype === "BOOL" && largest > 1) throw this.#refused("aggregate/value-invalid", "holds a byte other than 0 and 1", tensor);
    this.maxAbs[tensor] = Math.max(this.maxAbs[tensor] ?? 0, largest);
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
    this.maxAbs[tensor] = Math.max(this.maxAbs[tensor] ?? 0, maxAbs);
    this.squares += squares;
  }

  #refused(code: "aggregate/not-finite" | "aggregate/value-invalid" | "aggregate/out-of-range", what: string, tensor: number): FlareError {
    const name = this.#model.tensors[tensor]?.name ?? "";
    return new FlareError(code, `Tensor ${quoted(name)} of ${quoted(this.#who)} ${what}.`, {
      facts: { contributor: this.#who, tensor: name.slice(0, limits.peerTextChars) },
    });
  }
}

function scanFloat32(values: Float32Array): Scanned {
  let maxAbs = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const magnitude = Math.abs(value);
    if (magnitude > maxAbs) maxAbs = magnitude;
    squares += value * value;
  }
  return { maxAbs, squares };
}

/** A function of its own so that each of the two loops only ever sees one kind of array. */
function scanFloat64(values: Float64Array): Scanned {
  let maxAbs = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const magnitude = Math.abs(value);
    if (magnitude > maxAbs) maxAbs = magnitude;
    squares += value * value;
  }
  return { maxAbs, squares };
}

function largestInteger(values: TensorData): number {
  if (values instanceof BigInt64Array) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  return largest;
}

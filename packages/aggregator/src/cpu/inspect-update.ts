import { FlareError, limits } from "@flare-ts/contracts";
import { throwIfAborted } from "../abort.js";
import type { ByteSource } from "../byte-source.js";
import { maxMagnitude } from "../exact/exact-scale.js";
import { quoted } from "../peer-text.js";
import { readLayout } from "../safetensors/read-header.js";
import { isFloatDtype, type TensorData } from "../tensor.js";
import { batchBytes, planBatches, readBatch } from "./batches.js";
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
  throwIfAborted(signal);
  const layout = await readLayout(source);
  if (layout.tensors.length === 0) {
    throw new FlareError("aggregate/update-empty", `The update of ${quoted(who)} holds no tensor.`, { facts: { contributor: who } });
  }
  const offsets = matchLayout(model, layout, who);
  const maxAbs = new Float64Array(model.tensors.length);
  const buffer = new Uint8Array(Math.min(batchBytes, layout.totalBytes - layout.dataOffset));
  const views = new PieceViews();
  let squares = 0;
  for (const batch of planBatches(model.tensors, (tensor) => (offsets[tensor] ?? -1) >= 0)) {
    throwIfAborted(signal);
    await readBatch(source, offsets, batch, buffer);
    for (const piece of batch.pieces) {
      const known = maxAbs[piece.tensor] ?? 0;
      if (!isFloatDtype(piece.dtype)) {
        const largest = largestInteger(views.raw(buffer, piece));
        if (piece.dtype === "BOOL" && largest > 1)
          throw refused("aggregate/value-invalid", "holds a byte other than 0 and 1", piece.tensor);
        maxAbs[piece.tensor] = Math.max(known, largest);
        continue;
      }
      const values = views.floats(buffer, piece);
      const scanned = values instanceof Float32Array ? scanFloat32(values) : scanFloat64(values);
      if (!Number.isFinite(scanned.squares)) {
        const index = values.findIndex((value) => !Number.isFinite(value));
        if (index >= 0) {
          throw refused("aggregate/not-finite", `holds ${String(values[index])} at element ${piece.firstElement + index}`, piece.tensor);
        }
      }
      if (scanned.maxAbs >= maxMagnitude) throw refused("aggregate/out-of-range", `holds a value of ${scanned.maxAbs}`, piece.tensor);
      maxAbs[piece.tensor] = Math.max(known, scanned.maxAbs);
      squares += scanned.squares;
    }
  }
  return { offsets, maxAbs, norm: Math.sqrt(squares), tensors: layout.tensors.length };

  function refused(
    code: "aggregate/not-finite" | "aggregate/value-invalid" | "aggregate/out-of-range",
    what: string,
    tensor: number,
  ): FlareError {
    const name = model.tensors[tensor]?.name ?? "";
    return new FlareError(code, `Tensor ${quoted(name)} of ${quoted(who)} ${what}.`, {
      facts: { contributor: who, tensor: name.slice(0, limits.peerTextChars) },
    });
  }
}

interface Scanned {
  readonly maxAbs: number;
  /** Not finite where a value is not, or where one is beyond the range anyway. */
  readonly squares: number;
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

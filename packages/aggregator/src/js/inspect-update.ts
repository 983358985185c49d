import { throwIfAborted } from "../abort.js";
import type { TensorPlace } from "../safetensors/layout.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import { planBatches } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { ReusedBuffer, readPieces } from "../session/read-pieces.js";
import type { UpdateFindings } from "../session/update-findings.js";
import { isFloatDtype } from "../tensor.js";
import { PieceValues } from "./piece-values.js";
import { scanFloats } from "./scan-floats.js";

/** Reads all of an update once and gathers what it finds. @throws as `UpdateFindings`, `internal/aborted` */
export async function inspectUpdate(
  { source, stored }: ReadableUpdate,
  tensors: readonly TensorPlace[],
  findings: UpdateFindings,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = new ReusedBuffer();
  const values = new PieceValues();
  for (const batch of planBatches(tensors, (tensor) => stored[tensor] !== undefined)) {
    throwIfAborted(signal);
    const plan = planReads(stored, batch.pieces);
    const bytes = buffer.of(plan.bytes);
    await readPieces(source, plan, bytes);
    for (const [index, piece] of batch.pieces.entries()) {
      const place = plan.pieces[index];
      if (place === undefined) continue;
      if (!isFloatDtype(piece.dtype)) {
        findings.addInteger(piece, values.raw(bytes, place.at, piece.dtype, piece.count));
        continue;
      }
      const floats = values.floats(bytes, place, piece);
      findings.addFloat(piece, scanFloats(floats), () => floats);
    }
  }
}

import { throwIfAborted } from "../abort.js";
import type { DistancesInit } from "../session/arithmetic.js";
import { batchesForAllValues, planBatches } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import { isFloatDtype } from "../tensor.js";
import { PieceValues } from "./piece-values.js";

/** Squared distances between sources in plain JavaScript: sums of squared differences in float64. */
export async function measureDistances({ tensors, sources, signal }: DistancesInit): Promise<Float64Array> {
  const n = sources.length;
  const distances = new Float64Array(n * n);
  const values = new PieceValues();
  const isCompared = (tensor: number): boolean =>
    sources[0]?.stored[tensor] !== undefined && isFloatDtype(tensors[tensor]?.dtype ?? "BOOL");
  for (const batch of planBatches(tensors, isCompared, batchesForAllValues(n))) {
    throwIfAborted(signal);
    const columns: Float64Array[] = [];
    for (const { source, stored } of sources) {
      const plan = planReads(stored, batch.pieces);
      const bytes = new Uint8Array(plan.bytes);
      await readPieces(source, plan, bytes);
      const column = new Float64Array(batch.elements);
      for (const [index, piece] of batch.pieces.entries()) {
        const place = plan.pieces[index];
        if (place !== undefined) column.set(values.floats(bytes, place, piece), piece.element);
      }
      columns.push(column);
    }
    for (const [i, a] of columns.entries()) {
      for (let j = 0; j < i; j++) {
        const sum = squaredDistance(a, columns[j] as Float64Array);
        distances[i * n + j] = (distances[i * n + j] as number) + sum;
        distances[j * n + i] = distances[i * n + j] as number;
      }
    }
  }
  return distances;
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    sum += difference * difference;
  }
  return sum;
}

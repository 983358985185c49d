import { type Batch, type Piece, readBatch } from "../cpu/batches.js";
import type { FoldSource } from "../cpu/fold-updates.js";
import { dtypeBytes } from "../tensor.js";

/** Where a piece of an update lies in the memory of the kernels. */
export function pieceAddress({ source, offsets }: Omit<FoldSource, "weight">, piece: Piece, input: number): number {
  if (source.address === undefined) return input + piece.at;
  return source.address + (offsets[piece.tensor] ?? 0) + piece.firstElement * dtypeBytes[piece.dtype];
}

/** Brings a batch of an update into the memory of the kernels, unless it lies there anyway. */
export async function bringIn({ source, offsets }: Omit<FoldSource, "weight">, batch: Batch, buffer: Uint8Array): Promise<void> {
  if (source.address === undefined) await readBatch(source, offsets, batch, buffer);
}

import { PieceValues } from "../js/piece-values.js";
import { scanFloats } from "../js/scan-floats.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import type { Piece } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import { runElements } from "./combine-device.js";

/** A piece and where it begins in the rows of a tile. */
export interface RowPiece {
  readonly piece: Piece;
  readonly at: number;
}

/** Lays pieces out in runs. Gives also the length of a row. */
export function layRows(pieces: readonly Piece[]): { readonly pieces: readonly RowPiece[]; readonly length: number } {
  let length = 0;
  const laid = pieces.map((piece) => {
    const at = length;
    length += Math.ceil(piece.count / runElements) * runElements;
    return { piece, at };
  });
  return { pieces: laid, length };
}

/**
 * Reads what an update holds of pieces of float32 and less into a row; zeros where it lacks a tensor.
 *
 * @param onPiece - told of the largest magnitude of each piece
 */
export async function readRow(
  update: ReadableUpdate,
  { pieces, length }: ReturnType<typeof layRows>,
  onPiece: (index: number, maxAbs: number) => void = () => {},
): Promise<Float32Array> {
  const row = new Float32Array(length);
  const plan = planReads(
    update.stored,
    pieces.map(({ piece }) => piece),
  );
  const bytes = new Uint8Array(plan.bytes);
  await readPieces(update.source, plan, bytes);
  const values = new PieceValues();
  for (const [index, { piece, at }] of pieces.entries()) {
    const place = plan.pieces[index];
    if (place === undefined) continue;
    const floats = values.floats(bytes, place, piece);
    row.set(floats, at);
    onPiece(index, scanFloats(floats).maxAbs);
  }
  return row;
}

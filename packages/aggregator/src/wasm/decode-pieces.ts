import type { Piece } from "../session/batches.js";
import type { StoredPiece } from "../session/plan-reads.js";
import { addCall, type KernelProgram } from "./kernel-program.js";

/** Where the stored bytes of a piece lie in the memory of the kernels. */
export interface StoredAddresses {
  readonly at: number;
  /** Scales or indices. */
  readonly companionAt: number;
}

/** Adds the decoding of a piece to float32 to a program. */
export function addDecoding(
  program: KernelProgram,
  { stored, count }: StoredPiece,
  piece: Piece,
  { at, companionAt }: StoredAddresses,
  out: number,
): void {
  switch (stored.kind) {
    case "plain":
      addCall(program, stored.dtype === "F16" ? "decodeF16" : "decodeBf16", at, count, out);
      break;
    case "int8":
      addCall(program, "decodeInt8", at, companionAt, stored.block, piece.firstElement, piece.count, out);
      break;
    case "sparse":
      addCall(program, "scatterF32", companionAt, at, count, piece.firstElement, piece.count, out);
      break;
  }
}

import type { Batch, Piece } from "../cpu/batches.js";

/** A part of a piece that one thread works on. */
export interface Share {
  readonly piece: Piece;
  /** First element of the share, counted from the piece's first. */
  readonly from: number;
  readonly count: number;
}

/** Elements on which the shares of threads begin, so that no two threads write to one cache line. */
const grain = 64;

/** Cuts a batch into one range of elements for each thread: the same cut in each call, so that sums stay with their thread. */
export function splitBatch(batch: Batch, threads: number): readonly (readonly Share[])[] {
  return Array.from({ length: threads }, (_, thread) => {
    const begin = bound(batch.elements, thread, threads);
    const end = bound(batch.elements, thread + 1, threads);
    return batch.pieces.flatMap((piece) => {
      const first = Math.max(begin, piece.element);
      const count = Math.min(end, piece.element + piece.count) - first;
      return count > 0 ? [{ piece, from: first - piece.element, count }] : [];
    });
  });
}

function bound(elements: number, thread: number, threads: number): number {
  return thread === threads ? elements : Math.floor((elements * thread) / threads / grain) * grain;
}

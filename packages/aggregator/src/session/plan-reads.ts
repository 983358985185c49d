import { dtypeBytes } from "../tensor.js";
import { blockElements, type Piece } from "./batches.js";
import type { StoredTensor, StoredTensors } from "./stored-tensor.js";

/** Bytes of a source that lie together there and in the buffer. */
export interface Read {
  readonly position: number;
  /** Where they go, from the buffer's beginning. */
  readonly at: number;
  readonly bytes: number;
}

/** Where a piece's stored bytes lie in the buffer. */
export interface StoredPiece {
  readonly stored: StoredTensor;
  readonly at: number;
  /** The scales of int8, which begin with the piece's block, or the indices of sparse values. */
  readonly companionAt: number;
  /** Stored values: the piece's elements, or fewer where they are sparse. */
  readonly count: number;
}

/** How a few pieces of one source come into a buffer. */
export interface ReadPlan {
  readonly reads: readonly Read[];
  /** In the order of the pieces; `undefined` where the source lacks the tensor. */
  readonly pieces: readonly (StoredPiece | undefined)[];
  /** Size of the buffer. */
  readonly bytes: number;
}

/** Reads begin in the buffer on such places, so that elements of most tensors are aligned there. */
const alignment = 64;

/** Plans the fewest reads that bring pieces into a buffer, as far as the source's order allows. */
export function planReads(stored: StoredTensors, pieces: readonly Piece[]): ReadPlan {
  const reads: { position: number; at: number; bytes: number }[] = [];
  let end = 0;
  const place = (position: number, bytes: number): number => {
    const last = reads.at(-1);
    if (last !== undefined && last.position + last.bytes === position) {
      const at = last.at + last.bytes;
      last.bytes += bytes;
      end = at + bytes;
      return at;
    }
    const at = Math.ceil(end / alignment) * alignment;
    reads.push({ position, at, bytes });
    end = at + bytes;
    return at;
  };
  const placed = pieces.map((piece): StoredPiece | undefined => {
    const how = stored[piece.tensor];
    if (how === undefined) return undefined;
    const { firstElement, count } = piece;
    if (how.kind === "plain") {
      const size = dtypeBytes[how.dtype];
      return { stored: how, at: place(how.offset + firstElement * size, count * size), companionAt: -1, count };
    }
    if (how.kind === "int8") {
      const firstScale = Math.floor(firstElement / how.block);
      const scales = Math.ceil((firstElement + count) / how.block) - firstScale;
      const at = place(how.offset + firstElement, count);
      return { stored: how, at, companionAt: place(how.scales + 4 * firstScale, 4 * scales), count };
    }
    const block = Math.floor(firstElement / blockElements);
    const first = how.starts[block] ?? 0;
    const some = (how.starts[block + 1] ?? first) - first;
    const at = place(how.offset + 4 * first, 4 * some);
    return { stored: how, at, companionAt: place(how.indices + 4 * first, 4 * some), count: some };
  });
  return { reads, pieces: placed, bytes: end };
}

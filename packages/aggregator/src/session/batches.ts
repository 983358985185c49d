import { limits } from "@flare-ts/contracts/errors";
import type { TensorSpec } from "../safetensors/layout.js";
import { type Dtype, dtypeBytes, elementsOf } from "../tensor.js";

/** Elements of a tensor that share one grid, counted from its first. Part of the rule of exact sums: no bit depends on anything else. */
export const blockElements = 16_384;

/** Elements, bytes and pieces of one batch at most, whatever the model's size. */
export const batchElements = 256 * 1024;
export const batchBytes = limits.chunkBytes;
export const batchPieces = 1024;

/** Consecutive elements of one tensor, inside one block. */
export interface Piece {
  /** Index of the tensor in the model. */
  readonly tensor: number;
  readonly dtype: Dtype;
  readonly firstElement: number;
  readonly count: number;
  /** Where the piece begins in the batch's bytes, which are packed. */
  readonly at: number;
  /** Where the piece begins among the batch's elements. */
  readonly element: number;
}

/** Consecutive pieces that are worked on together, so that many small tensors cost as little as one large one. */
export interface Batch {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
  readonly elements: number;
}

export interface BatchLimits {
  /** Pieces are whole blocks unless this is less than a block. @default blockElements */
  readonly pieceElements?: number;
  /** @default batchElements */
  readonly elements?: number;
  /** @default batchBytes */
  readonly bytes?: number;
  /** @default 1024 */
  readonly pieces?: number;
}

/** Cuts a model into batches, in order; tensors that are not included, and empty ones, are passed over. */
export function* planBatches(
  tensors: readonly TensorSpec[],
  isIncluded: (tensor: number) => boolean,
  most: BatchLimits = {},
): Generator<Batch> {
  const pieceElements = Math.min(most.pieceElements ?? blockElements, blockElements);
  const maxElements = Math.max(most.elements ?? batchElements, pieceElements);
  const maxBytes = most.bytes ?? batchBytes;
  const maxPieces = most.pieces ?? batchPieces;
  let pieces: Piece[] = [];
  let bytes = 0;
  let elements = 0;
  for (const [tensor, { dtype, shape }] of tensors.entries()) {
    if (!isIncluded(tensor)) continue;
    const total = elementsOf(shape) ?? 0;
    for (let firstElement = 0; firstElement < total; ) {
      const count = Math.min(pieceElements, total - firstElement);
      const size = count * dtypeBytes[dtype];
      if (pieces.length > 0 && (bytes + size > maxBytes || elements + count > maxElements || pieces.length === maxPieces)) {
        yield { pieces, bytes, elements };
        pieces = [];
        bytes = 0;
        elements = 0;
      }
      pieces.push({ tensor, dtype, firstElement, count, at: bytes, element: elements });
      firstElement += count;
      bytes += size;
      elements += count;
    }
  }
  if (pieces.length > 0) yield { pieces, bytes, elements };
}

/** Limits of batches of which all values of so many updates are held at once, in a few MiB. */
export function batchesForAllValues(updates: number): BatchLimits {
  const elements = Math.max(64, Math.min(batchElements, 2 ** Math.floor(Math.log2(heldElements / Math.max(1, updates)))));
  return { elements, pieceElements: Math.min(elements, blockElements) };
}

/** Elements of all updates that are held for a batch. */
const heldElements = 2 * 1024 * 1024;

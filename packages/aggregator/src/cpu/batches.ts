import { limits } from "@flare-ts/contracts";
import type { ByteSource } from "../byte-source.js";
import type { TensorSpec } from "../safetensors/layout.js";
import { type Dtype, dtypeBytes, elementsOf } from "../tensor.js";

/** Elements and bytes of one batch at most: what is held of each update at a time, whatever the model's size. */
export const batchElements = 256 * 1024;
export const batchBytes = limits.chunkBytes;

/** Consecutive elements of one tensor. */
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

/** Consecutive pieces that are read and folded together, so that many small tensors cost as little as one large one. */
export interface Batch {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
  readonly elements: number;
}

/** Cuts a model into batches, in order; tensors that are not included, and empty ones, are passed over. */
export function* planBatches(tensors: readonly TensorSpec[], isIncluded: (tensor: number) => boolean): Generator<Batch> {
  let pieces: Piece[] = [];
  let bytes = 0;
  let elements = 0;
  for (const [tensor, { dtype, shape }] of tensors.entries()) {
    if (!isIncluded(tensor)) continue;
    const size = dtypeBytes[dtype];
    const total = elementsOf(shape) ?? 0;
    for (let firstElement = 0; firstElement < total; ) {
      const room = Math.min(Math.floor((batchBytes - bytes) / size), batchElements - elements);
      if (room === 0) {
        yield { pieces, bytes, elements };
        pieces = [];
        bytes = 0;
        elements = 0;
        continue;
      }
      const count = Math.min(room, total - firstElement);
      pieces.push({ tensor, dtype, firstElement, count, at: bytes, element: elements });
      firstElement += count;
      bytes += count * size;
      elements += count;
    }
  }
  if (pieces.length > 0) yield { pieces, bytes, elements };
}

/**
 * Fills a buffer with a batch's pieces, in as few reads as the file's order allows; pieces that the file lacks are left alone.
 *
 * @param offsets - where each tensor of the model begins in the source, in bytes; -1 where it is absent
 */
export async function readBatch(source: ByteSource, offsets: Float64Array, batch: Batch, buffer: Uint8Array): Promise<void> {
  let position = 0;
  let start = 0;
  let end = 0;
  for (const { tensor, dtype, firstElement, count, at } of batch.pieces) {
    const offset = offsets[tensor] ?? -1;
    if (offset < 0) continue;
    const from = offset + firstElement * dtypeBytes[dtype];
    if (at !== end || from !== position + (end - start)) {
      if (end > start) await source.read(buffer.subarray(start, end), position);
      position = from;
      start = at;
    }
    end = at + count * dtypeBytes[dtype];
  }
  if (end > start) await source.read(buffer.subarray(start, end), position);
}

import type { ReadableUpdate } from "../session/arithmetic.js";
import { blockElements } from "../session/batches.js";
import { inputBytes, tileElements } from "./thread-scratch.js";

/** What the places of a source in a thread's inputs may lose to their alignment. */
const alignmentBytes = 256;

/** Bytes of an element that is decoded: a value and an index at most, and what they become. */
const decodedBytes = 12;

/** A value and its index, as sparse tensors store them. */
const sparseBytes = 8;

/** With fewer elements at a time sparse values, which are read by whole blocks, would be read over and over. */
const leastOfSparse = 128;

/** What sources take of a thread's inputs where all are held at once. */
export interface HeldBytes {
  /** Of an element of float32 of one source, at most. */
  readonly element: number;
  /** Of the fullest blocks of sparse values of all sources together: what is read of one also for a part of it. */
  readonly blocks: number;
}

/** Says what sources take at most; looks at all tensors of all sources. */
export function heldBytes(sources: readonly ReadableUpdate[]): HeldBytes {
  const isPlain = sources.every(({ stored }) =>
    stored.every((each) => each === undefined || (each.kind === "plain" && each.dtype !== "F16" && each.dtype !== "BF16")),
  );
  return { element: isPlain ? 4 : decodedBytes, blocks: sources.reduce((sum, source) => sum + fullestBlock(source), 0) };
}

/**
 * Elements of float32 of which a thread holds those of so many sources at once; 0 where there is no room worth having.
 *
 * @param held - what the sources take
 * @param ownBytes - what the kernel needs of the thread's inputs for itself
 */
export function elementsHeld(sources: number, held: HeldBytes, ownBytes: number): number {
  const elementsIn = (bytes: number): number =>
    Math.min(tileElements, Math.floor((Math.floor(bytes / Math.max(1, sources)) - alignmentBytes) / held.element));
  const elements = elementsIn(inputBytes - ownBytes);
  if (held.blocks === 0 || elements >= blockElements) return elements;
  const beside = elementsIn(inputBytes - ownBytes - held.blocks);
  return beside < leastOfSparse ? 0 : beside;
}

function fullestBlock({ stored }: ReadableUpdate): number {
  let most = 0;
  for (const each of stored) {
    if (each?.kind !== "sparse") continue;
    for (let block = 1; block < each.starts.length; block++) {
      most = Math.max(most, (each.starts[block] as number) - (each.starts[block - 1] as number));
    }
  }
  return sparseBytes * most;
}

import type { ReadableUpdate } from "../session/arithmetic.js";
import { inputBytes, tileElements } from "./thread-scratch.js";

/** What the places of a source in a thread's inputs may lose to their alignment. */
const alignmentBytes = 256;

/** Bytes of an element that is decoded: a value and an index at most, and what they become. */
const decodedBytes = 12;

/** Bytes of a thread's inputs that an element of float32 of a source takes at most; looks at all tensors of all sources. */
export function heldBytes(sources: readonly ReadableUpdate[]): number {
  const isPlain = sources.every(({ stored }) =>
    stored.every((each) => each === undefined || (each.kind === "plain" && each.dtype !== "F16" && each.dtype !== "BF16")),
  );
  return isPlain ? 4 : decodedBytes;
}

/**
 * Elements of float32 of which a thread holds those of so many sources at once.
 *
 * @param elementBytes - what `heldBytes` says of them
 * @param ownBytes - what the kernel needs of the thread's inputs for itself
 */
export function elementsHeld(sources: number, elementBytes: number, ownBytes: number): number {
  const bytes = Math.floor((inputBytes - ownBytes) / Math.max(1, sources)) - alignmentBytes;
  return Math.min(tileElements, Math.floor(bytes / elementBytes));
}

import type { ReadableUpdate } from "../session/arithmetic.js";
import { inputBytes, tileElements } from "./thread-scratch.js";

/** What the places of a source in a thread's inputs may lose to their alignment. */
const alignmentBytes = 256;

/** Bytes of an element that is decoded: a value and an index at most, and what they become. */
const decodedBytes = 12;

/**
 * Elements of float32 of which a thread holds those of all sources at once.
 *
 * @param ownBytes - what the kernel needs of the thread's inputs for itself
 */
export function elementsHeld(sources: readonly ReadableUpdate[], ownBytes: number): number {
  const isPlain = sources.every(({ stored }) =>
    stored.every((each) => each === undefined || (each.kind === "plain" && each.dtype !== "F16" && each.dtype !== "BF16")),
  );
  const bytes = Math.floor((inputBytes - ownBytes) / Math.max(1, sources.length)) - alignmentBytes;
  return Math.min(tileElements, Math.floor(bytes / (isPlain ? 4 : decodedBytes)));
}

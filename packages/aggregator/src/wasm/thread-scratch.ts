import { FlareError } from "@flare-ts/contracts/errors";
import { batchPieces } from "../session/batches.js";
import type { KernelMemory } from "./kernel-memory.js";

/** Places that one thread works in, as addresses in the memory of the kernels; small, so that they stay in its cache. */
export interface ThreadScratch {
  /** Stored bytes of updates, and what was decoded of them. */
  readonly inputs: number;
  /** Sums of a tile: 8 bytes for each element. */
  readonly sums: number;
  /** Bytes of the base for a tile. */
  readonly base: number;
}

/** Elements of pieces that a thread works on together. */
export const tileElements = 32_768;

/** Bytes of all updates that are held for a tile; more updates are read in groups. */
export const inputBytes = 4 * 1024 * 1024;

/** Places of a tile's pieces in the base begin at such addresses where they do not lie together in its file. */
const alignment = 64;
const baseBytes = 8 * tileElements + alignment * batchPieces;
const scratchBytes = inputBytes + 8 * tileElements + baseBytes;

/** Takes a thread's places. @throws `aggregate/memory-exhausted` */
export function threadScratch(memory: KernelMemory): ThreadScratch {
  const inputs = memory.allocate(scratchBytes);
  if (inputs === undefined) throw exhausted(scratchBytes);
  const sums = inputs + inputBytes;
  return { inputs, sums, base: sums + 8 * tileElements };
}

/** Says that the engine cannot have the memory that it needs. */
export function exhausted(bytes: number): FlareError {
  return new FlareError("aggregate/memory-exhausted", `The engine cannot get ${bytes} bytes of memory.`, { facts: { bytes } });
}

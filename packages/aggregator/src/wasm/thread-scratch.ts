import { FlareError } from "@flare-ts/contracts/errors";
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

const scratchBytes = inputBytes + 16 * tileElements;

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

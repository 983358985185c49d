import { batchBytes, batchElements } from "../session/batches.js";
import type { KernelMemory } from "./kernel-memory.js";
import { exhausted } from "./thread-scratch.js";

/** Where one batch is worked on, as addresses in the memory of the kernels. */
export interface WorkSlot {
  /** The batch's new bytes. */
  readonly out: number;
  /** Combined values as float64, where plain JavaScript goes on with them. */
  readonly means: number;
  /** What scans found: two float64 for each entry, of which there is one for each piece and update. */
  readonly results: number;
  /** A factor as float64, an address and that of scales as u32, each for all entries. */
  readonly lists: number;
  /** The magic number and the power of two of each piece's grid. */
  readonly grids: number;
  /** A u32 for each piece, not 0 where a new value is beyond its type. */
  readonly flags: number;
}

/** Pieces times updates of one batch. */
export const slotEntries = 65_536;

/** Pieces of one batch. */
export const slotPieces = 1024;

/**
 * Elements and bytes of one batch: more than elsewhere, since each batch that a thread has done with wakes the one that asked, which
 * takes as long as adding some 100,000 numbers.
 */
export const slotElements: number = 2 * batchElements;
export const slotBytes: number = 2 * batchBytes;

const areas = {
  out: slotBytes,
  means: 8 * slotElements,
  results: 16 * slotEntries,
  lists: 16 * slotEntries,
  grids: 16 * slotPieces,
  flags: 4 * slotPieces,
};
const allBytes = Object.values(areas).reduce((sum, bytes) => sum + bytes, 0);

/** The places where batches are worked on, lent in the order in which they are asked for, taken from the memory when first needed. */
export class WorkSlots {
  /** Batches in work at once: while some are folded, others are read, hashed and written. */
  readonly count: number;
  readonly #memory: KernelMemory;
  readonly #idle: WorkSlot[] = [];
  readonly #waiting: ((slot: WorkSlot) => void)[] = [];
  #made = 0;

  constructor(memory: KernelMemory, count: number) {
    this.#memory = memory;
    this.count = count;
  }

  /** Waits for a slot, which is to be given back. @throws `aggregate/memory-exhausted` */
  async take(): Promise<WorkSlot> {
    const idle = this.#idle.pop() ?? this.#make();
    return idle ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Takes a slot back. */
  giveBack(slot: WorkSlot): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(slot);
    else next(slot);
  }

  #make(): WorkSlot | undefined {
    if (this.#made === this.count) return undefined;
    const out = this.#memory.allocate(allBytes);
    if (out === undefined) {
      // With one slot work goes on, one batch after the other.
      if (this.#made > 0) return undefined;
      throw exhausted(allBytes);
    }
    this.#made += 1;
    const means = out + areas.out;
    const results = means + areas.means;
    const lists = results + areas.results;
    const grids = lists + areas.lists;
    return { out, means, results, lists, grids, flags: grids + areas.grids };
  }
}

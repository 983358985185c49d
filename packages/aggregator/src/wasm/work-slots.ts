import { FlareError } from "@flare-ts/contracts";
import { batchBytes, batchElements } from "../cpu/batches.js";
import type { KernelMemory } from "./kernel-memory.js";

/** Updates that a kernel folds in one pass. Measured: 4 are 1.4 to 1.9 times faster than 1, and 8 bring nothing more. */
export const updatesPerPass = 4;

/** Batches in work at once: while one is folded, others are read, hashed and written. */
export const slotCount = 4;

/** Where one batch is worked on, as addresses in the memory of the kernels. */
export interface WorkSlot {
  /** A batch's bytes of each update of a pass. */
  readonly inputs: readonly number[];
  readonly base: number;
  readonly out: number;
  /** 8 bytes for each element of a batch. */
  readonly sums: number;
  /** 4 bytes for each element of a batch. */
  readonly singles: number;
  /** One flag for each thread, 64 bytes apart. */
  readonly flags: number;
}

const flagBytes = 64 * 64;
const slotBytes = (updatesPerPass + 2) * batchBytes + 12 * batchElements + flagBytes;

/** The places where batches are worked on, lent in the order in which they are asked for. Together 36 MiB, taken when first needed. */
export class WorkSlots {
  readonly #memory: KernelMemory;
  readonly #idle: WorkSlot[] = [];
  readonly #waiting: ((slot: WorkSlot) => void)[] = [];
  #made = 0;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  /** Waits for a slot, which is to be given back. @throws `aggregate/memory-exhausted` */
  async take(): Promise<WorkSlot> {
    const idle = this.#idle.pop() ?? this.#make();
    return idle ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  giveBack(slot: WorkSlot): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(slot);
    else next(slot);
  }

  #make(): WorkSlot | undefined {
    if (this.#made === slotCount) return undefined;
    const address = this.#memory.allocate(slotBytes);
    if (address === undefined) {
      // With one slot work goes on, one batch after the other.
      if (this.#made > 0) return undefined;
      throw new FlareError("aggregate/memory-exhausted", `The engine cannot get ${slotBytes} bytes of memory.`, {
        facts: { bytes: slotBytes },
      });
    }
    this.#made += 1;
    const base = address + updatesPerPass * batchBytes;
    const sums = base + 2 * batchBytes;
    return {
      inputs: Array.from({ length: updatesPerPass }, (_, i) => address + i * batchBytes),
      base,
      out: base + batchBytes,
      sums,
      singles: sums + 8 * batchElements,
      flags: sums + 12 * batchElements,
    };
  }
}

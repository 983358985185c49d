import type { KernelMemory } from "./kernel-memory.js";
import { sortingPlan } from "./robust-kernels.js";
import { exhausted } from "./thread-scratch.js";

/** A plan of sorting where kernels find it. */
export interface PlacedSortingPlan {
  /** Values that are left out at either end. */
  readonly cut: number;
  readonly steps: number;
  readonly split: number;
  readonly tiles: number;
  /** Bytes of rows that a thread needs. */
  readonly tileBytes: number;
}

/** Plans for sorting different numbers of values, kept in the memory of the kernels until they are released. */
export class SortingPlans {
  readonly #memory: KernelMemory;
  readonly #placed = new Map<string, PlacedSortingPlan & { readonly bytes: number }>();

  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  /** The plan for n values of which `cut` are left out at either end. @throws `aggregate/memory-exhausted` */
  of(n: number, cut: number): PlacedSortingPlan {
    const key = `${n}/${cut}`;
    const known = this.#placed.get(key);
    if (known !== undefined) return known;
    const { steps, split, tiles, tileBytes } = sortingPlan(n, cut);
    const address = this.#memory.allocate(steps.byteLength);
    if (address === undefined) throw exhausted(steps.byteLength);
    this.#memory.words(address, steps.length).set(steps);
    const placed = { cut, steps: address, split, tiles, tileBytes, bytes: steps.byteLength };
    this.#placed.set(key, placed);
    return placed;
  }

  /** Gives the memory back. */
  release(): void {
    for (const { steps, bytes } of this.#placed.values()) this.#memory.free(steps, bytes);
    this.#placed.clear();
  }
}

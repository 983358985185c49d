import { setFlagsFromString } from "node:v8";
import { garbageCollector } from "./garbage-collector.js";

/** As V8 has it by itself: collections of everything after which it forgets the bytecode of functions that did not run meanwhile. */
const agesOfV8 = 6;

/**
 * Gives back to the system what the heap of this process does not use: 10 MB after a start, which V8 would keep for as long as the process
 * lives, and what it compiled for the start alone. It takes some tens of milliseconds, in which nothing else happens; a process calls it
 * when it is ready and has nothing to do yet.
 */
export function giveBackHeap(): void {
  const collect = garbageCollector();
  setFlagsFromString("--bytecode-old-age=1");
  setFlagsFromString("--flush-baseline-code");
  try {
    // V8 makes its room for young objects smaller only when memory is short, or when it is told that it is. The first pass makes code old.
    for (let pass = 0; pass < 2; pass++) collect({ type: "major", flavor: "last-resort" });
  } finally {
    setFlagsFromString(`--bytecode-old-age=${agesOfV8}`);
    setFlagsFromString("--no-flush-baseline-code");
  }
}

/** As `giveBackHeap`, unless the heap is larger than so many bytes. */
export function giveBackSmallHeap(largestBytes: number): void {
  if (process.memoryUsage().heapTotal <= largestBytes) giveBackHeap();
}

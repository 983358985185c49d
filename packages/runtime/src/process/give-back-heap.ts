import { garbageCollector } from "./garbage-collector.js";

/**
 * Gives back to the system what the heap of this process does not use: 10 MB after a start, which V8 would keep for as long as the process
 * lives. It takes some tens of milliseconds, in which nothing else happens; a process calls it when it is ready and has nothing to do yet.
 */
export function giveBackHeap(): void {
  // V8 makes its room for young objects smaller only when memory is short, or when it is told that it is.
  garbageCollector()({ type: "major", flavor: "last-resort" });
}

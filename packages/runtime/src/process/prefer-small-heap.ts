import { setFlagsFromString } from "node:v8";

/** Interpreted code that is run often is compiled once, for speed; the two steps between would keep code of their own for it. */
const flags = ["--optimize-for-size", "--no-sparkplug", "--no-maglev"];

/**
 * Makes V8 prefer a small heap to speed from now on, which is 2 MB for a process that passes messages on. A process calls it when its modules
 * are loaded, right before `giveBackHeap`: with these flags set, Node compiles its own modules anew instead of taking what comes with it, takes
 * twice the time for them and keeps the outcome, another 1 MB.
 */
export function preferSmallHeap(): void {
  for (const flag of flags) setFlagsFromString(flag);
}

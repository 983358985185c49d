import { treeMemory } from "./tree-memory.ts";

export interface WatchedMemory {
  /** The most that was seen so far. */
  readonly peakBytes: number;
  /** How often it was looked at. */
  readonly samples: number;
}

export interface WatchMemoryInit {
  readonly pid: number;
  readonly everyMs: number;
  readonly limitBytes: number;
  /** Called once, when more than the limit was seen. */
  readonly onExceeded: () => void;
}

/** Looks at the memory of a process and all that it starts, again and again, until it is stopped. */
export function watchMemory({ pid, everyMs, limitBytes, onExceeded }: WatchMemoryInit): { stop(): Promise<WatchedMemory> } {
  const seen = { peakBytes: 0, samples: 0 };
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const bytes = await treeMemory(pid);
    if (bytes === undefined) return;
    const wasWithin = seen.peakBytes <= limitBytes;
    seen.samples += 1;
    seen.peakBytes = Math.max(seen.peakBytes, bytes);
    if (wasWithin && bytes > limitBytes) onExceeded();
  };
  const timer = setInterval(() => {
    // Looking takes longer than the interval where there are many processes.
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await looking;
      return seen;
    },
  };
}

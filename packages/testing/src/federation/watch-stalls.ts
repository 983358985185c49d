import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Durable writes of one look: as many as the renewal of a certificate takes. */
const writes = 9;
const everyMs = 1_000;

/** A look at how slow the machine is, by itself, whatever is tested on it. */
export interface StallWatch {
  /** Stops it; gives the longest that one round of writes has taken, in milliseconds. */
  stop(): Promise<number>;
}

/** Writes small files durably, into a folder that is made, once a second. */
export function watchStalls(folder: string): StallWatch {
  const stopping = new AbortController();
  const watching = watch(folder, stopping.signal);
  return {
    stop: () => {
      stopping.abort();
      return watching;
    },
  };
}

async function watch(folder: string, signal: AbortSignal): Promise<number> {
  await mkdir(folder, { recursive: true });
  let slowestMs = 0;
  while (!signal.aborted) {
    const startMs = performance.now();
    for (let i = 0; i < writes; i += 1) {
      const file = await open(join(folder, `${i}`), "w");
      try {
        await file.writeFile("x".repeat(2_000));
        await file.sync();
      } finally {
        await file.close();
      }
    }
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return slowestMs;
}

import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";

export interface ThroughRestartsInit {
  readonly signal: AbortSignal;
  /** Hears why the server is away, once each time. */
  readonly onAway: (reason: FlareError) => void;
  /** Milliseconds between two attempts. @default 1000 */
  readonly retryMs?: number;
}

/**
 * What is told by a server to which there is a session, entry by entry, also when it is away meanwhile: it is asked again for what comes
 * after the last entry until it answers, also where it has told nothing yet. It ends when the signal is aborted.
 *
 * @param open - tells what comes after an entry, 0 for all
 * @throws FlareError what the server refuses
 */
export async function* throughRestarts<Entry extends { readonly seq: number }>(
  open: (after: number) => AsyncIterable<Entry>,
  { signal, onAway, retryMs = 1_000 }: ThroughRestartsInit,
): AsyncGenerator<Entry, void, undefined> {
  let after = 0;
  let isLost = false;
  while (!signal.aborted) {
    try {
      for await (const entry of open(after)) {
        isLost = false;
        after = entry.seq;
        yield entry;
      }
      return;
    } catch (reason) {
      const error = FlareError.from(reason);
      if (signal.aborted) return;
      if (!error.row.isRetryable) throw reason;
      if (!isLost) onAway(error);
      isLost = true;
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

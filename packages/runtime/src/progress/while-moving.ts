import { FlareError } from "@flare-ts/contracts/errors";
import { type StallClock, systemStallClock } from "./stall-clock.js";
import { type Stall, StallWatch } from "./stall-watch.js";

export interface WhileMovingInit {
  /** Such as `The upload of object 12ab`. */
  readonly what: string;
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
  /** @default the machine's */
  readonly clock?: StallClock;
}

/**
 * Does a piece of a transfer for as long as it moves. `work` says when it does, and gets a signal that ends it.
 *
 * @throws FlareError `transfer/stalled`, which says what stood still since when; what `work` throws
 */
export async function whileMoving<Result>(
  init: WhileMovingInit,
  work: (mark: (what: string) => void, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { what, stallMs, signal, clock = systemStallClock } = init;
  const stalled = new AbortController();
  const watch = new StallWatch({ clock }, { stallMs, first: "its start", onStall: (stall) => stalled.abort(transferStalled(what, stall)) });
  try {
    const either = signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]);
    return await work((moved) => watch.mark(moved), either);
  } catch (reason) {
    // Whatever the work made of being ended, this is why.
    if (stalled.signal.aborted) throw stalled.signal.reason;
    throw reason;
  } finally {
    watch.stop();
  }
}

/** The error of a transfer that stood still. */
export function transferStalled(what: string, { last, sinceMs, stillMs }: Stall): FlareError {
  const since = new Date(sinceMs).toISOString();
  const seconds = Math.round(stillMs / 1000);
  return new FlareError("transfer/stalled", `${what} has not moved since ${since}, for ${seconds} s; the last was ${last}.`, {
    facts: { what, last, since, seconds },
  });
}

import { FlareError, limits } from "@flare-ts/contracts";
import { Backoff } from "../transfer/backoff.js";

export interface ThroughCutsInit {
  readonly signal: AbortSignal;
  /** Hears once why the server is away. */
  readonly onAway?: ((reason: FlareError) => void) | undefined;
  /** The server is given up when it is away for longer. @default limits.stallMs */
  readonly stallMs?: number;
}

/**
 * Does something at a server to which there is a session, once more whenever the server is away, until it is done. What is done must be
 * harmless to repeat.
 *
 * @throws FlareError `transfer/unreachable` and its kin when the server stays away, `internal/aborted`, and what the work throws
 */
export async function throughCuts<Result>(work: () => Promise<Result>, init: ThroughCutsInit): Promise<Result> {
  const { signal, onAway, stallMs = limits.stallMs } = init;
  const backoff = new Backoff();
  const beganMs = performance.now();
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (reason) {
      if (signal.aborted || !isAway(reason) || performance.now() > beganMs + stallMs) throw reason;
      if (isFirst) onAway?.(reason);
    }
    await backoff.wait(signal);
  }
}

/** Whether something failed only because the server is away. */
export function isAway(reason: unknown): reason is FlareError {
  return reason instanceof FlareError && reason.row.isRetryable && reason.code.startsWith("transfer/");
}

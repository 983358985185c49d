import { FlareError } from "@flare-ts/contracts/errors";

/** Ends the caller's work once the signal is aborted. @throws `internal/aborted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new FlareError("internal/aborted", "The aggregation was stopped.", { cause: signal.reason });
}

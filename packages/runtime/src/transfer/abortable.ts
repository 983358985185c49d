import { FlareError } from "@flare-ts/contracts";

/**
 * Waits for work that cannot be aborted itself, no longer than the signal lets.
 *
 * @throws FlareError `internal/aborted`
 */
export async function abortable<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return await work;
  if (signal.aborted) {
    work.catch(() => undefined);
    throw FlareError.from(signal.reason);
  }
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(FlareError.from(signal.reason));
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

import type { FlareError } from "@flare-ts/contracts/errors";
import { readError, truncated } from "../byte-source.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import type { ReadFailure } from "./kernel-program.js";

/** Says which file could not be read by a thread. */
export function readFailed({ fd, code, position }: ReadFailure, sources: readonly (ReadableUpdate | undefined)[]): FlareError {
  const label = sources.find((each) => each?.source.fd === fd)?.source.label ?? `file descriptor ${fd}`;
  if (code === undefined) return truncated(label, position + 1, position);
  return readError(label, Object.assign(new Error(code), { code }));
}

import { FlareError } from "@flare-ts/contracts/errors";

/** What the system refused to write or to make, in its own words; `what` begins the sentence. */
export function unwritable(what: string, file: string, cause: unknown): FlareError {
  const { code: reason = "unknown reason", message } = cause as NodeJS.ErrnoException;
  const words = reason === "ENOENT" ? "its folder is not there" : (/^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? reason);
  return new FlareError("file/unwritable", `${what}: ${words}.`, { facts: { file, reason }, cause });
}

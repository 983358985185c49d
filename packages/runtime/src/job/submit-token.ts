import { createHash } from "node:crypto";
import { FlareError, limits } from "@flare-ts/contracts";

/** For whom a token stands for a job. */
export interface TokenOwner {
  readonly project: string;
  readonly submitter: string;
  readonly study: string;
}

/**
 * The id of the job that somebody submits with a token of their own: the same for the same token, project, submitter and study. So whoever does not
 * know what came of a submission submits again, and the server knows the job by its id. A UUID of version 8, of a SHA-256 of all of these.
 *
 * @throws FlareError `runtime/invalid-argument` for a token without characters, or with too many
 */
export function jobIdOfToken(token: string, { project, submitter, study }: TokenOwner): string {
  if (token === "" || token.length > limits.submitTokenChars) {
    const message = `A submit token has 1 to ${limits.submitTokenChars} characters, and this one has ${token.length}.`;
    throw new FlareError("runtime/invalid-argument", message, { facts: { chars: token.length } });
  }
  const bytes = createHash("sha256")
    .update(JSON.stringify(["submit-token", project, submitter, study, token]))
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

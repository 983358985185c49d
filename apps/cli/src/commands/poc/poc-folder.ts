import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The environment variable that moves the POC workspace; FLARE's name. */
export const pocFolderVariable = "NVFLARE_POC_WORKSPACE";

/**
 * The POC workspace: what `NVFLARE_POC_WORKSPACE` names, else `~/.flare/poc`. FLARE takes a folder under `/tmp`, which a
 * restart of the machine empties.
 */
export function pocFolder(env: Readonly<Record<string, string | undefined>>): string {
  const named = env[pocFolderVariable];
  return named === undefined || named === "" ? join(env["HOME"] ?? homedir(), ".flare", "poc") : resolve(named);
}

import { readFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";

/**
 * Reads a file; `undefined` when there is none.
 *
 * @throws FlareError `file/unreadable`
 */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new FlareError("file/unreadable", `Cannot read ${file} (${code}).`, { cause, facts: { file } });
  }
}

/**
 * Reads a text file; `undefined` when there is none.
 *
 * @throws FlareError `file/unreadable`
 */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  return (await readIfPresent(file))?.toString("utf8");
}

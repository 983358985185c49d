import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";

/** Replaces a file as a whole, readable for its owner only: a crash leaves the old one or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode: 0o600, flag: "wx", flush: true });
  await rename(temporary, path);
}

/**
 * Reads a file; `undefined` when there is none.
 *
 * @throws FlareError `file/unreadable`
 */
export async function readTextIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FlareError("file/unreadable", `Cannot read ${path}.`, { cause, facts: { file: path } });
  }
}

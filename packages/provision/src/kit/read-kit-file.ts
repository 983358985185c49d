import { readFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";

/**
 * Reads a text file of a kit.
 *
 * @throws FlareError `kit/file-missing`, `file/unreadable`.
 */
export async function readKitFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      throw new FlareError("kit/file-missing", `${file} is missing.`, { cause, facts: { file } });
    }
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  }
}

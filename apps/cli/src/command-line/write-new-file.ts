import { writeFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";

/** Writes a file that is not there yet. @throws FlareError `cli/output-exists`, `file/unwritable` */
export async function writeNewFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const message = `${isThere ? "It is there already" : "Cannot write"}: ${file}.`;
    throw new FlareError(isThere ? "cli/output-exists" : "file/unwritable", message, { cause, facts: { file } });
  }
}

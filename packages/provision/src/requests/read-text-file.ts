import { readFile, stat } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";

/**
 * Reads a file that a person wrote.
 *
 * @throws FlareError `file/not-found`, `file/unreadable`.
 */
export async function readTextFile(file: string): Promise<string> {
  const info = await stat(file).catch((cause: unknown) => {
    throw new FlareError("file/not-found", `There is no file ${file}.`, { cause, facts: { file } });
  });
  if (!info.isFile()) throw new FlareError("file/unreadable", `${file} is not a file.`, { facts: { file } });
  if (info.size > limits.documentBytes) {
    throw new FlareError("file/unreadable", `${file} has ${info.size} bytes; ${limits.documentBytes} are read at most.`, {
      facts: { file, bytes: info.size, limit: limits.documentBytes },
    });
  }
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  });
}

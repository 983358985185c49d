import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";

/**
 * Reads an ordinary file of limited size.
 *
 * @throws FlareError `file/not-found`, `file/unreadable`, `archive/too-large`.
 */
export async function readWithin(file: string, maxBytes: number): Promise<Uint8Array> {
  // A pipe would otherwise keep the opening waiting for who writes to it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw code === "ENOENT"
      ? new FlareError("file/not-found", `There is no file ${file}.`, { cause, facts: { file } })
      : new FlareError("file/unreadable", `Cannot read ${file} (${code}).`, { cause, facts: { file } });
  });
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new FlareError("file/unreadable", `${file} is not a file.`, { facts: { file } });
    if (info.size > maxBytes) {
      throw new FlareError("archive/too-large", `${file} has ${info.size} bytes; it may have ${maxBytes}.`, {
        facts: { file, bytes: info.size, limit: maxBytes },
      });
    }
    const bytes = new Uint8Array(info.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

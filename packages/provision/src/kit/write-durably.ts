import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "./make-folder.js";

/**
 * Replaces a file as a whole, readable for its owner only: after a crash it holds what it held before, or all of the new text.
 * A folder that is not there is made, and is the owner's alone.
 */
export async function writeDurably(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await makeFolder(folder, { mode: 0o700 });
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  // The rename itself; not every file system lets a folder be opened.
  const entry = await open(folder, "r").catch(() => undefined);
  await entry?.sync().catch(() => undefined);
  await entry?.close();
}

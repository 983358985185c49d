import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Replaces a file as a whole: after a crash it holds what it held before, or all of the new text. Its folder is the owner's alone. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.part`;
  const handle = await open(draft, "w", 0o600);
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

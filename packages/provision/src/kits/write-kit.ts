import type { KeyObject } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { KitFile } from "./kit-file.js";
import { signFolder } from "./sign-folder.js";

/** Writes a kit into a folder that does not exist yet, and signs its startup folder. */
export async function writeKit(dir: string, files: readonly KitFile[], rootKey: KeyObject): Promise<void> {
  await writeFiles(dir, files);
  await mkdir(join(dir, "transfer"));
  await signFolder(join(dir, "startup"), rootKey);
}

/** Writes files with their modes below a folder, and never over one that is there. */
export async function writeFiles(dir: string, files: readonly KitFile[]): Promise<void> {
  for (const file of files) {
    const path = join(dir, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.text, { flag: "wx", mode: file.mode });
    // The mode given when a file is made is cut by the umask.
    await chmod(path, file.mode);
  }
}

import type { KeyObject } from "node:crypto";
import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { signatureFile } from "../kit/signature-file.js";
import { jsonFile, type KitFile } from "./kit-file.js";
import { signContent } from "./sign-folder.js";

const startup = "startup/";

/** Writes a kit into a folder that does not exist yet, with `signature.json` over all of its startup folder. */
export async function writeKit(dir: string, files: readonly KitFile[], rootKey: KeyObject): Promise<void> {
  const signed = files.filter(({ path }) => path.startsWith(startup)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const signatures = await Promise.all(
    signed.map(async ({ path, text }) => [path.slice(startup.length), await signContent(Buffer.from(text, "utf8"), rootKey)] as const),
  );
  await writeFiles(dir, [...files, jsonFile(startup + signatureFile, Object.fromEntries(signatures))]);
  await mkdir(join(dir, "transfer"));
}

/** Writes files with their modes below a folder, and never over one that is there. */
export async function writeFiles(dir: string, files: readonly KitFile[]): Promise<void> {
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) await mkdir(join(dir, folder), { recursive: true });
  const isCut = new Map<number, boolean>();
  for (const { path: name, text, mode } of files) {
    const path = join(dir, name);
    await writeFile(path, text, { flag: "wx", mode });
    // The mode given when a file is made is cut by the umask, the same way for every file: one of them shows how. There are
    // a dozen files in each of a hundred kits, and a system call for each is felt.
    if (!isCut.has(mode)) isCut.set(mode, ((await stat(path)).mode & 0o777) !== mode);
    if (isCut.get(mode) === true) await chmod(path, mode);
  }
}

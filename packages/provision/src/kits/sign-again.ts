import type { KeyObject } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { signatureFile } from "../kit/signature-file.js";
import { signFolder } from "./sign-folder.js";

/** Signs the startup folder of a kit that was changed after it had been signed. */
export async function signAgain(kitDir: string, rootKey: KeyObject): Promise<void> {
  const startup = join(kitDir, "startup");
  for (const entry of await readdir(startup, { recursive: true, withFileTypes: true })) {
    if (entry.name === signatureFile) await rm(join(entry.parentPath, entry.name));
  }
  await signFolder(startup, rootKey);
}

import type { KeyObject } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { signBytesInPool } from "../kit/signature.js";
import { signatureFile } from "../kit/signature-file.js";

/**
 * Signs what a folder holds: `signature.json` maps each file's name to a signature of its bytes, and each folder's name
 * to a signature of that name, RSA-PSS with SHA-256 and the longest salt, base64; every folder inside gets its own.
 */
export async function signFolder(dir: string, rootKey: KeyObject): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true });
  const signatures = await Promise.all(
    entries
      .filter(({ name }) => name !== signatureFile)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(async (entry): Promise<[string, string]> => {
        const path = join(dir, entry.name);
        if (!entry.isDirectory()) return [entry.name, await signContent(await readFile(path), rootKey)];
        await signFolder(path, rootKey);
        return [entry.name, await signContent(Buffer.from(entry.name, "utf8"), rootKey)];
      }),
  );
  await writeFile(join(dir, signatureFile), `${JSON.stringify(Object.fromEntries(signatures), undefined, 2)}\n`, {
    mode: 0o644,
    flag: "wx",
  });
}

/** A signature as `signature.json` holds it. */
async function signContent(content: Buffer, key: KeyObject): Promise<string> {
  return (await signBytesInPool(content, key, { salt: "longest" })).toString("base64");
}

import { chmod, copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { contentHashSchema, FlareError } from "@flare-ts/contracts";
import { makeFolder } from "@flare-ts/provision/kit";
import type { ObjectRef, StoredObject } from "../store/model-store.js";
import type { ResultFile } from "./job-summary.js";

export interface DownloadedResult {
  /** Path inside the result, and the object it is. */
  readonly files: readonly ResultFile[];
  /** What is written besides: a JSON document for each name of a file. */
  readonly documents: Readonly<Record<string, unknown>>;
}

export interface DownloadResultOptions {
  /** Fetches an object, or finds it where it was fetched to before. */
  readonly fetch: (object: ObjectRef, file: ResultFile) => Promise<StoredObject>;
  /** Whether a folder that is there gives way, once the new one is whole. */
  readonly isReplacing: boolean;
}

/**
 * Writes the result of a job into a folder that appears only when it is whole.
 *
 * @throws FlareError `file/exists`, `file/unwritable`, `runtime/bad-message` for a file outside the folder, what fetching throws
 */
export async function downloadResult(
  dir: string,
  { files, documents }: DownloadedResult,
  { fetch, isReplacing }: DownloadResultOptions,
): Promise<void> {
  const draft = `${dir}.part`;
  // First, which tells what stands in its way.
  await makeFolder(dirname(draft));
  await rm(draft, { recursive: true, force: true });
  await makeFolder(draft);
  try {
    for (const file of files) {
      const target = resolve(draft, file.path);
      if (!target.startsWith(draft + sep))
        throw new FlareError("runtime/bad-message", "The server names a result file outside the result's folder.");
      const held = await fetch({ hash: contentHashSchema.parse(file.hash), size: file.size }, file);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(held.path, target);
      // Objects of the store are read-only; the copy belongs to the person who asked for it.
      await chmod(target, 0o644);
    }
    for (const [name, document] of Object.entries(documents))
      await writeFile(join(draft, name), `${JSON.stringify(document, undefined, 2)}\n`);
    if (isReplacing) await rm(dir, { recursive: true, force: true });
    await rename(draft, dir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const { code = "", syscall } = error as NodeJS.ErrnoException;
    if (syscall === "rename" && ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code))
      throw new FlareError("file/exists", `${dir} is there already.`, { facts: { path: dir } });
    throw error;
  }
}

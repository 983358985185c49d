import { randomUUID } from "node:crypto";
import { chmod, copyFile, lstat, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { contentHashSchema, FlareError } from "@flare-ts/contracts";
import { makeFolder } from "@flare-ts/provision/kit";
import { identifyProcess } from "../process/process-identity.js";
import { diskError, errnoOf } from "../store/file-model-store-disk.js";
import type { ObjectRef, StoredObject } from "../store/model-store.js";
import type { ResultFile } from "./job-summary.js";

export interface DownloadedResult {
  /** Path inside the result, and the object it is. */
  readonly files: readonly ResultFile[];
  /** What is written besides: a JSON document for each path inside the result. */
  readonly documents: Readonly<Record<string, unknown>>;
}

export interface DownloadResultOptions {
  /** Fetches an object, or finds it where it was fetched to before. */
  readonly fetch: (object: ObjectRef, file: ResultFile) => Promise<StoredObject>;
  /** Whether what is there gives way, once the new result is whole. */
  readonly isReplacing: boolean;
}

/** Refuses a place where something is, before anything is fetched for it; an empty folder is nothing. @throws FlareError `file/exists` */
export async function refuseTaken(dir: string): Promise<void> {
  const isFolder = await lstat(dir).then(
    (info) => info.isDirectory(),
    () => undefined,
  );
  if (isFolder === undefined) return;
  const names = isFolder ? await readdir(dir).catch(() => []) : undefined;
  if (names?.length !== 0) throw exists(dir);
}

/**
 * Writes the result of a job into a folder that appears only when it is whole. Of several attempts at a time each has a draft of its own.
 *
 * @throws FlareError `file/exists`, `file/unwritable`, `transfer/disk-full`, `runtime/bad-message` for a file outside the folder, what
 * fetching throws
 */
export async function downloadResult(
  dir: string,
  { files, documents }: DownloadedResult,
  { fetch, isReplacing }: DownloadResultOptions,
): Promise<void> {
  const draft = `${dir}.part-${process.pid}-${randomUUID().slice(0, 8)}`;
  // First, which tells what stands in its way.
  await makeFolder(dirname(draft));
  await removeDrafts(dir);
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
    for (const [name, document] of Object.entries(documents)) {
      const target = join(draft, name);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, `${JSON.stringify(document, undefined, 2)}\n`);
    }
    await (isReplacing ? replace(draft, dir) : putInPlace(draft, dir));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // What a caller's own functions throw has no number of the system's.
    throw errnoOf(error) === undefined ? error : diskError(error, dir);
  }
}

async function putInPlace(draft: string, dir: string): Promise<void> {
  try {
    await rename(draft, dir);
  } catch (error) {
    throw isTaken(error) ? exists(dir) : error;
  }
}

/** What was there is removed last: a full disk or a kill costs no result. */
async function replace(draft: string, dir: string): Promise<void> {
  const former: string[] = [];
  // Another attempt may be putting its own result there.
  for (let tries = 0; ; tries += 1) {
    try {
      await rename(draft, dir);
      break;
    } catch (error) {
      if (!isTaken(error) || tries === mostRivals) throw error;
      const aside = `${draft}.former-${tries}`;
      const isMoved = await rename(dir, aside).then(
        () => true,
        (reason: unknown) => {
          if (errnoOf(reason) === "ENOENT") return false;
          throw reason;
        },
      );
      if (isMoved) former.push(aside);
    }
  }
  for (const path of former) await rm(path, { recursive: true, force: true });
}

const mostRivals = 20;

/** What processes that were killed have left beside the folder. */
async function removeDrafts(dir: string): Promise<void> {
  const prefix = `${basename(dir)}.part`;
  for (const name of await readdir(dirname(dir))) {
    if (!name.startsWith(prefix)) continue;
    // Older versions gave it no number.
    const pid = /^-(\d+)-/.exec(name.slice(prefix.length))?.[1];
    const isLeft = pid === undefined ? name === prefix : identifyProcess(Number(pid)) === undefined;
    if (isLeft) await rm(join(dirname(dir), name), { recursive: true, force: true });
  }
}

function isTaken(error: unknown): boolean {
  return ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "");
}

function exists(dir: string): FlareError {
  return new FlareError("file/exists", `${dir} is there already.`, { facts: { path: dir } });
}

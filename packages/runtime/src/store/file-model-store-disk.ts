import { closeSync, fchmodSync, fsync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { type FileHandle, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";

/** Turns an error of the file system into the one that a user can act on. */
export function diskError(reason: unknown, path: string): FlareError {
  if (reason instanceof FlareError) return reason;
  const code = errnoOf(reason);
  if (isDiskFull(reason)) {
    return new FlareError("transfer/disk-full", `No space is left to write ${path}.`, { facts: { path }, cause: reason });
  }
  if (reason instanceof Error && reason.name === "AbortError") return FlareError.from(reason);
  const message = reason instanceof Error ? reason.message : String(reason);
  return new FlareError("file/unwritable", `${path} cannot be written: ${message}`, {
    facts: { path, ...(code ? { errno: code } : {}) },
    cause: reason,
  });
}

/** The error of something that wrote a file: one that a full disk caused says so, as it is waited for. */
export function writeError(reason: unknown, path: string): FlareError {
  const error = FlareError.from(reason);
  return error.code === "file/unwritable" && isDiskFull(error.cause) ? diskError(error.cause, path) : error;
}

/** Whether an error of the file system says that there is no space, or no more for this user. */
export function isDiskFull(reason: unknown): boolean {
  const code = errnoOf(reason);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** The `code` of a system error, such as `ENOENT`. */
export function errnoOf(reason: unknown): string | undefined {
  return reason instanceof Error && "code" in reason && typeof reason.code === "string" ? reason.code : undefined;
}

/** Writes all bytes at a position; a partial write is continued. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

/** Renames a file whose content is durable so that the new name survives a crash too. */
export async function renameDurably(from: string, to: string): Promise<void> {
  renameSync(from, to);
  await syncFolder(dirname(to));
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, "r");
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Makes a small read-only file whose content is durable when this resolves. All but the waiting for the disk is done at once: a turn of
 * Node's thread pool costs more than it takes.
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = openSync(path, "wx", 0o600);
  try {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(file, bytes, done);
    fchmodSync(file, 0o444);
    await sync(file);
  } finally {
    closeSync(file);
  }
}

/** Not by `promisify`: `node:util` brings more along than all the rest of a trainer's client. */
function sync(file: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(file, (error) => (error === null ? resolve() : reject(error))));
}

/** Removes a small file, or one of the names of a file, without a turn of the thread pool; one that is not there is fine. */
export function removeAtOnce(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** Removes a file; one that is not there is fine. `rm` would do it in JavaScript, with four times the work. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

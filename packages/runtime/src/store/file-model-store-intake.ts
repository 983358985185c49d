import { createHash, randomUUID } from "node:crypto";
import { copyFile, type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type ContentHash, FlareError } from "@flare-ts/contracts";
import { diskError, errnoOf, isDiskFull, removeFile, writeDurably } from "./file-model-store-disk.js";
import type { FollowedFile } from "./followed-file.js";
import { hashPrefix } from "./hash-prefix.js";
import type { HashThread } from "./hash-thread.js";
import type { ObjectRef, StoredObject } from "./model-store.js";

/** How the names of copies under way begin. */
export const copyPrefix = "copy-";

export interface FileModelStoreIntakeComponents {
  readonly find: (hash: ContentHash) => Promise<StoredObject | undefined>;
  /** Gives a durable file its final name; one whose like is there by now is removed. A copy may share its blocks with the original. */
  readonly publish: (from: string, ref: ObjectRef, kind: "moved" | "copied") => Promise<StoredObject>;
  readonly hashing: HashThread;
  /** Something had no room; gives back what can be given. */
  readonly onDiskFull: () => Promise<void>;
}

/** Takes finished files and bytes into a store of files: hashed, durable, read-only. */
export class FileModelStoreIntake {
  readonly #components: FileModelStoreIntakeComponents;
  readonly #folder: string;

  constructor(components: FileModelStoreIntakeComponents, init: { readonly folder: string }) {
    this.#components = components;
    this.#folder = init.folder;
  }

  async bytes(bytes: Uint8Array): Promise<StoredObject> {
    const hash = createHash("sha256").update(bytes).digest("hex") as ContentHash;
    const present = await this.#components.find(hash);
    if (present !== undefined) return present;
    return await this.#withCopy(async (path) => {
      await writeDurably(path, bytes);
      return await this.#components.publish(path, { hash, size: bytes.byteLength }, "copied");
    });
  }

  /** The original stays; what is hashed is the copy, for the original may change meanwhile. */
  async copy(path: string, signal: AbortSignal | undefined): Promise<StoredObject> {
    await (await openOriginal(path)).close();
    return await this.#withCopy(async (copy) => {
      // The kernel copies the file, or shares its blocks where the file system can.
      await copyFile(path, copy);
      const file = await open(copy, "r");
      try {
        return await this.#components.publish(copy, await this.#durableRefOf(file, signal), "copied");
      } finally {
        await file.close();
      }
    });
  }

  /** The original is renamed away, or copied and removed where it lies on another disk. */
  async move(path: string, signal: AbortSignal | undefined, followed?: FollowedFile): Promise<StoredObject> {
    const file = await openOriginal(path);
    try {
      const own = (await followed?.isSame(file)) === true ? followed : undefined;
      return await this.#components.publish(path, await this.#durableRefOf(file, signal, own), "moved");
    } catch (error) {
      if (errnoOf(error) !== "EXDEV") throw diskError(error, path);
    } finally {
      await file.close();
    }
    const object = await this.copy(path, signal);
    await removeFile(path);
    return object;
  }

  /** The disk writes while the processor hashes. */
  async #durableRefOf(file: FileHandle, signal: AbortSignal | undefined, followed?: FollowedFile): Promise<ObjectRef> {
    const [ref, synced] = await Promise.allSettled([this.#refOf(file, signal, followed), makeLasting(file)]);
    if (ref.status === "rejected") throw ref.reason as Error;
    if (synced.status === "rejected") throw synced.reason as Error;
    return ref.value;
  }

  async #refOf(file: FileHandle, signal: AbortSignal | undefined, followed: FollowedFile | undefined): Promise<ObjectRef> {
    const { size } = await file.stat();
    followed?.reached(size);
    const hash = followed ?? (await hashPrefix(file, size, this.#components.hashing));
    const stop = (): void => void hash.end();
    signal?.addEventListener("abort", stop);
    try {
      if (signal?.aborted === true) await hash.end();
      const digest = await hash.digest();
      signal?.throwIfAborted();
      return { hash: digest as ContentHash, size };
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Runs `fill` with the name of a draft on the store's disk, which is gone afterwards unless that fails: then it is removed. */
  async #withCopy(fill: (path: string) => Promise<StoredObject>): Promise<StoredObject> {
    const path = join(this.#folder, `${copyPrefix}${randomUUID()}`);
    try {
      return await fill(path);
    } catch (error) {
      await removeFile(path);
      if (isDiskFull(error)) await this.#components.onDiskFull();
      throw diskError(error, path);
    }
  }
}

/** Read-only and durable. */
async function makeLasting(file: FileHandle): Promise<void> {
  await file.chmod(0o444);
  await file.sync();
}

async function openOriginal(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw new FlareError("file/not-found", `${path} does not exist.`, { facts: { path }, cause: error });
    throw new FlareError("file/unreadable", `${path} cannot be read: ${String(error)}`, { facts: { path }, cause: error });
  }
}

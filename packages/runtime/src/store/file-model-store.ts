import type { EventEmitter } from "node:events";
import { mkdirSync, statSync } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ContentHash, FlareError, isContentHash, limits, TurnsByKey } from "@flare-ts/contracts";
import { diskError, errnoOf, removeFile, renameDurably, syncFolder } from "./file-model-store-disk.js";
import { copyPrefix, FileModelStoreIntake } from "./file-model-store-intake.js";
import { readDurableOffset, writeDurableOffset } from "./file-model-store-offset.js";
import { FileModelWriter } from "./file-model-store-writer.js";
import { FollowedFile } from "./followed-file.js";
import { hashPrefix } from "./hash-prefix.js";
import { HashThread } from "./hash-thread.js";
import type { ModelStore, ObjectRef, ObjectWriter, StoredObject } from "./model-store.js";
import { readMemory } from "./read-memory.js";
import type { HashedPrefix, RunningHash } from "./running-hash.js";
import { SpareFiles } from "./spare-files.js";

export interface FileModelStoreInit {
  /** Folder of the store; made when it is not there. One process at a time opens it for writing. */
  readonly root: string;
  /** Bytes between two checkpoints of an unfinished object. @default limits.checkpointBytes */
  readonly checkpointBytes?: number;
  /**
   * Which large files are kept to be written over once their objects are removed. A process that still reads one would read something
   * else: `all` is for a store whose objects nobody reads any more when they are removed, but through this store; `unseen` is for those that were
   * moved in, and whose path was not given out since.
   *
   * @default none
   */
  readonly reuse?: "all" | "unseen";
}

/**
 * Keeps every object as one read-only file, `objects/ab/<hash>`, and every unfinished one as `partial/<hash>` beside the
 * record of what survives a crash. Memory is a few chunks for each open transfer, whatever the objects' size.
 */
export class FileModelStore implements ModelStore {
  readonly #root: string;
  readonly #checkpointBytes: number;
  readonly #intake: FileModelStoreIntake;
  readonly #hashing = new HashThread();
  readonly #writers = new Map<ContentHash, FileModelWriter>();
  /** Hashes of what writers of this process left behind: a resumed transfer need not read its prefix again. */
  readonly #prefixes = new Map<ContentHash, HashedPrefix>();
  /** What happens to each unfinished object, one thing at a time. */
  readonly #turns = new TurnsByKey();
  readonly #reuse: FileModelStoreInit["reuse"];
  readonly #spares: SpareFiles;
  /** Objects whose files may be written over once they are removed. */
  readonly #reusable = new Set<ContentHash>();
  readonly #readers = new Map<ContentHash, number>();

  private constructor(components: { readonly spares: SpareFiles }, init: FileModelStoreInit) {
    this.#root = init.root;
    this.#spares = components.spares;
    this.#reuse = init.reuse;
    this.#checkpointBytes = init.checkpointBytes ?? limits.checkpointBytes;
    this.#intake = new FileModelStoreIntake(
      {
        find: async (hash) => this.#find(hash),
        publish: async (from, ref, kind) => this.#turns.take(ref.hash, async () => this.#publishOnce(from, ref, kind)),
        hashing: this.#hashing,
        onDiskFull: async () => void (await this.releaseSpares()),
      },
      { folder: join(init.root, "partial") },
    );
  }

  /**
   * Opens a store, making its folders where they are missing.
   *
   * @throws FlareError `file/unwritable`, `transfer/disk-full`
   */
  static async open(init: FileModelStoreInit): Promise<FileModelStore> {
    try {
      await mkdir(join(init.root, "objects"), { recursive: true, mode: 0o700 });
      await mkdir(join(init.root, "partial"), { recursive: true, mode: 0o700 });
      const spares = await SpareFiles.open({ folder: join(init.root, "spare") });
      // Copies that a crash left behind; nothing refers to them.
      for (const name of await readdir(join(init.root, "partial"))) {
        if (name.startsWith(copyPrefix)) await removeFile(join(init.root, "partial", name));
      }
      return new FileModelStore({ spares }, init);
    } catch (error) {
      throw diskError(error, init.root);
    }
  }

  async find(hash: ContentHash): Promise<StoredObject | undefined> {
    if (this.#reuse === "unseen") this.#reusable.delete(hash);
    return await this.#find(hash);
  }

  async #find(hash: ContentHash): Promise<StoredObject | undefined> {
    const path = this.#objectPath(hash);
    try {
      // At once: it is asked several times for each update, and a turn of Node's thread pool takes ten times as long.
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      return size === undefined ? undefined : { hash, size, path };
    } catch (error) {
      throw diskError(error, path);
    }
  }

  async importFile(
    path: string,
    { move, signal, followed }: { readonly move?: boolean; readonly signal?: AbortSignal; readonly followed?: FollowedFile } = {},
  ): Promise<StoredObject> {
    return move === true ? await this.#intake.move(path, signal, followed) : await this.#intake.copy(path, signal);
  }

  async follow(path: string): Promise<FollowedFile> {
    return await FollowedFile.begin(path, this.#hashing);
  }

  async importBytes(bytes: Uint8Array): Promise<StoredObject> {
    return await this.#intake.bytes(bytes);
  }

  async durableOffset(ref: ObjectRef): Promise<number> {
    const finished = await this.#find(ref.hash);
    if (finished !== undefined) return requireSize(finished, ref).size;
    const offset = await readDurableOffset(this.#recordPath(ref.hash), ref);
    if (offset === 0) return 0;
    try {
      // The file may be gone or shorter when somebody cleaned up by hand.
      const { size } = await stat(this.#partialPath(ref.hash));
      return size >= offset ? offset : 0;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return 0;
      throw diskError(error, this.#partialPath(ref.hash));
    }
  }

  async openWriter(ref: ObjectRef): Promise<ObjectWriter> {
    // The old writer stops at once, although the new one may have to wait for its last write.
    const taken = this.#writers.get(ref.hash)?.supersede();
    return await this.#turns.take(ref.hash, async () => {
      await taken;
      await this.#writers.get(ref.hash)?.supersede();
      return await this.#openWriter(ref);
    });
  }

  async open(hash: ContentHash): Promise<FileHandle> {
    return await this.#openObject(hash);
  }

  async *read(hash: ContentHash, offset: number, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const file = await this.#openObject(hash);
    let ahead: Promise<Buffer> | undefined;
    try {
      const { size } = await file.stat();
      if (offset > size) {
        throw new FlareError("transfer/wrong-offset", `Object ${hash} has ${size} bytes, so nothing starts at ${offset}.`, {
          facts: { hash, size, offset },
        });
      }
      let position = offset;
      // One chunk is read while the previous one is on its way.
      const next = (): Promise<Buffer> | undefined => (position < size ? quiet(readChunk(file, position, size)) : undefined);
      ahead = next();
      while (ahead !== undefined) {
        const chunk: Buffer = await ahead;
        signal?.throwIfAborted();
        position += chunk.byteLength;
        ahead = next();
        yield chunk;
      }
    } finally {
      await ahead?.catch(() => undefined);
      await file.close();
    }
  }

  async remove(hash: ContentHash): Promise<void> {
    const writer = this.#writers.get(hash);
    await this.#turns.take(hash, async () => {
      await writer?.supersede();
      await this.#removeObject(hash);
      await this.#discard(hash);
    });
  }

  async takeSpare(bytes: number, path: string): Promise<boolean> {
    return await this.#spares.take(bytes, path);
  }

  /** Removes the files that are kept to be written over; returns how many bytes that was. */
  async releaseSpares(): Promise<number> {
    return await this.#spares.release();
  }

  /** Objects, unfinished ones too, of which nothing was written for so long; those with an open writer are not among them. */
  async *unchanged(forMs: number): AsyncGenerator<ContentHash, void, undefined> {
    const isOld = async (path: string): Promise<boolean> => {
      const mtimeMs = await stat(path).then(
        (found) => found.mtimeMs,
        () => Number.NaN,
      );
      return Date.now() - mtimeMs >= forMs;
    };
    for await (const hash of this.list()) if (await isOld(this.#objectPath(hash))) yield hash;
    for (const hash of await readdir(join(this.#root, "partial"))) {
      // Its record is written after its bytes, or not at all.
      if (isContentHash(hash) && !this.#writers.has(hash) && (await isOld(this.#partialPath(hash)))) yield hash;
    }
  }

  async *list(): AsyncGenerator<ContentHash, void, undefined> {
    const objects = join(this.#root, "objects");
    for (const folder of (await readdir(objects)).toSorted()) {
      for (const name of (await readdir(join(objects, folder))).toSorted()) {
        if (isContentHash(name)) yield name;
      }
    }
  }

  async #openWriter(ref: ObjectRef): Promise<ObjectWriter> {
    const path = this.#partialPath(ref.hash);
    const finished = await this.#find(ref.hash);
    if (finished !== undefined) {
      throw new FlareError("transfer/superseded", `Object ${ref.hash} is finished already.`, {
        facts: { hash: ref.hash, size: finished.size },
      });
    }
    const durable = await this.durableOffset(ref);
    let file: FileHandle | undefined;
    try {
      const isSpare = !(await isLeftWritable(path)) && (await this.#spares.take(ref.size, path));
      file = await openOrCreate(path);
      // Bytes behind the durable offset may not have reached the disk in order.
      if (!isSpare) await file.truncate(durable);
      const { size: fileBytes } = await file.stat();
      const hash = await this.#hashFrom(ref, durable, file);
      const writer = new FileModelWriter(this.#writerComponents(ref, path, file), {
        ref,
        path,
        hash,
        offset: durable,
        fileBytes,
        checkpointBytes: this.#checkpointBytes,
      });
      this.#writers.set(ref.hash, writer);
      return writer;
    } catch (error) {
      await file?.close();
      throw diskError(error, path);
    }
  }

  #writerComponents(ref: ObjectRef, path: string, file: FileHandle): ConstructorParameters<typeof FileModelWriter>[0] {
    return {
      file,
      recordOffset: async (offset) => writeDurableOffset(this.#recordPath(ref.hash), { size: ref.size, offset }),
      publish: async () => {
        const object = await this.#publish(path, ref);
        // Whoever has received it gets its path.
        if (this.#reuse === "all") this.#reusable.add(ref.hash);
        await removeFile(this.#recordPath(ref.hash));
        return object;
      },
      onDiskFull: async () => void (await this.releaseSpares()),
      discard: async () => this.#discard(ref.hash),
      released: (prefix) => {
        this.#writers.delete(ref.hash);
        if (prefix === undefined || prefix.offset === 0) this.#prefixes.delete(ref.hash);
        else this.#prefixes.set(ref.hash, prefix);
      },
    };
  }

  async #hashFrom({ hash, size }: ObjectRef, offset: number, file: FileHandle): Promise<RunningHash> {
    const known = this.#prefixes.get(hash);
    if (known?.offset === offset) return known.resume(file);
    return await hashPrefix(file, offset, this.#hashing, size);
  }

  async #publish(from: string, ref: ObjectRef): Promise<StoredObject> {
    const path = this.#objectPath(ref.hash);
    const folder = join(this.#root, "objects", ref.hash.slice(0, 2));
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) await syncFolder(join(this.#root, "objects"));
    await renameDurably(from, path);
    return { hash: ref.hash, size: ref.size, path };
  }

  /** Of two that come with the same object at once the first has it: a file that somebody reads by now is not replaced by its like. */
  async #publishOnce(from: string, ref: ObjectRef, kind: "moved" | "copied"): Promise<StoredObject> {
    const present = await this.#find(ref.hash);
    if (present !== undefined) {
      await removeFile(from);
      return present;
    }
    const object = await this.#publish(from, ref);
    if (kind === "moved" && this.#reuse !== undefined) this.#reusable.add(ref.hash);
    return object;
  }

  async #removeObject(hash: ContentHash): Promise<void> {
    const isReusable = this.#reusable.delete(hash) && !this.#readers.has(hash);
    if (isReusable) await this.#spares.keep(this.#objectPath(hash));
    else await removeFile(this.#objectPath(hash));
  }

  async #discard(hash: ContentHash): Promise<void> {
    this.#prefixes.delete(hash);
    // The record first: a partial file without a record counts as empty.
    await removeFile(this.#recordPath(hash));
    await removeFile(this.#partialPath(hash));
  }

  async #openObject(hash: ContentHash): Promise<FileHandle> {
    // Counted from before it is open, so that a removal meanwhile leaves the file alone.
    this.#readers.set(hash, (this.#readers.get(hash) ?? 0) + 1);
    try {
      const file = await open(this.#objectPath(hash), "r");
      (file as FileHandle & EventEmitter).once("close", () => this.#readerLeft(hash));
      return file;
    } catch (error) {
      this.#readerLeft(hash);
      if (errnoOf(error) !== "ENOENT") throw diskError(error, this.#objectPath(hash));
      throw new FlareError("transfer/object-missing", `Object ${hash} is not in the store.`, { facts: { hash }, cause: error });
    }
  }

  #readerLeft(hash: ContentHash): void {
    const others = (this.#readers.get(hash) ?? 1) - 1;
    if (others > 0) this.#readers.set(hash, others);
    else this.#readers.delete(hash);
  }

  #objectPath(hash: ContentHash): string {
    return join(this.#root, "objects", hash.slice(0, 2), hash);
  }

  #partialPath(hash: ContentHash): string {
    return join(this.#root, "partial", hash);
  }

  #recordPath(hash: ContentHash): string {
    return join(this.#root, "partial", `${hash}.offset`);
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return await open(path, "wx+", 0o600);
  }
}

/** Whether there is an unfinished file; one that was about to be finished is writable again. */
async function isLeftWritable(path: string): Promise<boolean> {
  try {
    await chmod(path, 0o600);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

async function readChunk(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const buffer = readMemory(Math.min(limits.chunkBytes, size - position));
  const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
  if (bytesRead === 0) throw new FlareError("file/unreadable", "A finished object is shorter than it was.", { facts: { position, size } });
  return buffer.subarray(0, bytesRead);
}

function requireSize(object: StoredObject, ref: ObjectRef): StoredObject {
  if (object.size === ref.size) return object;
  throw new FlareError("transfer/size-mismatch", `Object ${ref.hash} has ${object.size} bytes, not ${ref.size}.`, {
    facts: { hash: ref.hash, announced: ref.size, size: object.size },
  });
}

function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

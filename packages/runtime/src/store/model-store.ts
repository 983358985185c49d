import type { FileHandle } from "node:fs/promises";
import type { ContentHash } from "@flare-ts/contracts";
import type { FollowedFile } from "./followed-file.js";

export type { FollowedFile } from "./followed-file.js";

/** A finished object of the content-addressed store: a model, an update, or a file of a job. */
export interface StoredObject {
  readonly hash: ContentHash;
  /** Bytes. */
  readonly size: number;
  /** A regular file that must only be read. */
  readonly path: string;
}

/** Name and size of an object; what travels in messages and stands in journals. */
export interface ObjectRef {
  readonly hash: ContentHash;
  /** Bytes. */
  readonly size: number;
}

/** Models, updates and files of jobs as files named by their SHA-256. Every implementation passes `modelStoreCompliance`. */
export interface ModelStore {
  /** The finished object of that name, or `undefined`. */
  find(hash: ContentHash): Promise<StoredObject | undefined>;

  /**
   * Takes a finished local file in: hashes it, makes it durable, and names it by its hash. Importing the same bytes
   * twice is harmless.
   *
   * @param options.move the file may be renamed away instead of copied. @default false
   * @param options.followed - what was hashed of the file already, where it is the same; a file that is moved only
   */
  importFile(
    path: string,
    options?: { readonly move?: boolean; readonly signal?: AbortSignal; readonly followed?: FollowedFile },
  ): Promise<StoredObject>;

  /** Begins to hash a file that is still being written, for `importFile` to go on from; it is made where it is not there. */
  follow(path: string): Promise<FollowedFile>;

  /** Stores a small object that is in memory. */
  importBytes(bytes: Uint8Array): Promise<StoredObject>;

  /** Bytes of an unfinished object that survive a crash; 0 when there is none, the size when it is finished. */
  durableOffset(ref: ObjectRef): Promise<number>;

  /**
   * Opens an unfinished object for writing at its durable offset. One writer at a time: a second call takes the object
   * over from the first, whose next write fails with `transfer/superseded`.
   */
  openWriter(ref: ObjectRef): Promise<ObjectWriter>;

  /** A finished object open for reading; what holds it open can read it although it is removed meanwhile. */
  open(hash: ContentHash): Promise<FileHandle>;

  /** Chunks of at most `limits.chunkBytes` from a finished object, in order. */
  read(hash: ContentHash, offset: number, signal?: AbortSignal): AsyncIterable<Buffer>;

  remove(hash: ContentHash): Promise<void>;

  /**
   * Gives a file of about so many bytes that the store does not need any more another place, on the same disk, to be written over.
   *
   * @returns whether there was one; nothing stands at `path` then but it
   */
  takeSpare(bytes: number, path: string): Promise<boolean>;

  /** Names of all finished objects. */
  list(): AsyncIterable<ContentHash>;
}

/** Appends to an unfinished object. */
export interface ObjectWriter {
  /** Offset of the next byte. */
  readonly offset: number;
  /** Appends; makes everything durable each `limits.checkpointBytes`. Resolves when more can be taken (backpressure). */
  write(chunk: Uint8Array): Promise<void>;
  /** Appends so many zeros, which need not take room on the disk. */
  writeZeros(length: number): Promise<void>;
  /**
   * Verifies size and hash, makes the object durable and finished.
   *
   * @throws FlareError `transfer/hash-mismatch`: the unfinished object is thrown away, the next writer starts at 0.
   */
  commit(): Promise<StoredObject>;
  /** Stops writing and keeps what is durable. Harmless after `commit`. */
  close(): Promise<void>;
}

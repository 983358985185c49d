import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";
import { diskError, writeFully } from "./file-model-store-disk.js";
import type { ObjectRef, ObjectWriter, StoredObject } from "./model-store.js";

/** A rolling hash together with how many bytes it has seen. */
export interface HashedPrefix {
  readonly offset: number;
  readonly hash: Hash;
}

/** What a writer needs from the store that opened it. */
export interface FileModelWriterComponents {
  readonly file: FileHandle;
  /** Records how many bytes survive a crash. */
  recordOffset(offset: number): Promise<void>;
  /** Gives the verified file its final name. */
  publish(): Promise<StoredObject>;
  /** Throws the unfinished object away. */
  discard(): Promise<void>;
  /** The writer is done; `prefix` is what it leaves behind. */
  released(prefix: HashedPrefix | undefined): void;
}

export interface FileModelWriterInit {
  readonly ref: ObjectRef;
  readonly path: string;
  readonly prefix: HashedPrefix;
  readonly checkpointBytes: number;
}

/**
 * Appends to one unfinished file. Hashing overlaps with writing, and checkpoints run behind the caller by one, so that
 * a slow fsync does not stop a fast link; memory stays at a few chunks.
 */
export class FileModelWriter implements ObjectWriter {
  readonly #components: FileModelWriterComponents;
  readonly #ref: ObjectRef;
  readonly #path: string;
  readonly #checkpointBytes: number;
  readonly #hash: Hash;
  #offset: number;
  #durable: HashedPrefix;
  #writing: Promise<void> = Promise.resolve();
  #checkpointing: Promise<void> = Promise.resolve();
  #lastCheckpoint: number;
  #state: "open" | "superseded" | "finished" = "open";
  #committing: Promise<StoredObject> | undefined;
  #closing: Promise<void> | undefined;

  constructor(components: FileModelWriterComponents, init: FileModelWriterInit) {
    this.#components = components;
    this.#ref = init.ref;
    this.#path = init.path;
    this.#checkpointBytes = init.checkpointBytes;
    this.#hash = init.prefix.hash.copy();
    this.#offset = init.prefix.offset;
    this.#lastCheckpoint = init.prefix.offset;
    this.#durable = init.prefix;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    if (this.#offset + chunk.byteLength > this.#ref.size) {
      await this.#throwAway();
      throw new FlareError(
        "transfer/size-mismatch",
        `More than the announced ${this.#ref.size} bytes of object ${this.#ref.hash} arrived.`,
        {
          facts: { hash: this.#ref.hash, announced: this.#ref.size },
        },
      );
    }
    const position = this.#offset;
    this.#offset += chunk.byteLength;
    this.#writing = quiet(this.#writing.then(async () => writeFully(this.#components.file, chunk, position)));
    this.#hash.update(chunk);
    if (this.#offset - this.#lastCheckpoint >= this.#checkpointBytes) await this.#startCheckpoint();
    await this.#watch(this.#writing);
  }

  async commit(): Promise<StoredObject> {
    this.#requireOpen();
    this.#committing = this.#commit();
    return await this.#committing;
  }

  async close(): Promise<void> {
    // A commit under way is waited for: nobody may touch the file while it gets its name.
    await this.#committing?.catch(() => undefined);
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** Ends this writer in favour of a newer one; resolves when it does not touch the file any more. */
  async supersede(): Promise<void> {
    if (this.#state === "open") this.#state = "superseded";
    await this.close();
  }

  async #commit(): Promise<StoredObject> {
    if (this.#offset !== this.#ref.size) {
      throw new FlareError("transfer/incomplete", `Object ${this.#ref.hash} has ${this.#offset} of ${this.#ref.size} bytes.`, {
        facts: { hash: this.#ref.hash, offset: this.#offset, size: this.#ref.size },
      });
    }
    await this.#watch(this.#settled());
    const actual = this.#hash.digest("hex");
    if (actual !== this.#ref.hash) {
      await this.#throwAway();
      throw new FlareError(
        "transfer/hash-mismatch",
        `The bytes received for object ${this.#ref.hash} have the hash ${actual}; they were thrown away.`,
        {
          facts: { expected: this.#ref.hash, actual, size: this.#ref.size },
        },
      );
    }
    this.#requireOpen();
    this.#state = "finished";
    try {
      await this.#components.file.chmod(0o444);
      await this.#components.file.sync();
      return await this.#components.publish();
    } catch (error) {
      throw diskError(error, this.#path);
    } finally {
      await this.#components.file.close();
      this.#components.released(undefined);
    }
  }

  async #close(): Promise<void> {
    if (this.#state === "finished") return;
    // From here on nothing more is taken.
    this.#state = "finished";
    try {
      // What is there is made durable, so that a cut link costs nothing; a full disk leaves the last checkpoint.
      await this.#settled();
      if (this.#offset > this.#durable.offset) await this.#checkpoint({ offset: this.#offset, hash: this.#hash.copy() });
    } catch {
      // The last checkpoint stands.
    } finally {
      await this.#components.file.close();
      this.#components.released(this.#durable);
    }
  }

  async #throwAway(): Promise<void> {
    this.#state = "finished";
    try {
      await this.#settled().catch(() => undefined);
      await this.#components.discard();
    } finally {
      await this.#components.file.close();
      this.#components.released(undefined);
    }
  }

  async #startCheckpoint(): Promise<void> {
    await this.#watch(this.#checkpointing);
    const prefix = { offset: this.#offset, hash: this.#hash.copy() };
    this.#lastCheckpoint = prefix.offset;
    const written = this.#writing;
    this.#checkpointing = quiet(written.then(async () => this.#checkpoint(prefix)));
  }

  async #checkpoint(prefix: HashedPrefix): Promise<void> {
    await this.#components.file.datasync();
    await this.#components.recordOffset(prefix.offset);
    this.#durable = prefix;
  }

  async #settled(): Promise<void> {
    await this.#writing;
    await this.#checkpointing;
  }

  async #watch(step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      throw diskError(error, this.#path);
    }
  }

  #requireOpen(): void {
    if (this.#state === "open") return;
    throw new FlareError("transfer/superseded", `Another writer took object ${this.#ref.hash} over, or this one is closed.`, {
      facts: { hash: this.#ref.hash, offset: this.#offset },
    });
  }
}

/** The hash of nothing, where every object starts. */
export function emptyPrefix(): HashedPrefix {
  return { offset: 0, hash: createHash("sha256") };
}

/** Hashes the first `length` bytes of a file; one piece is read while the one before is hashed. */
export async function hashPrefix(file: FileHandle, length: number, signal?: AbortSignal): Promise<HashedPrefix> {
  const hash = createHash("sha256");
  const pieceBytes = Math.min(limits.chunkBytes, Math.max(length, 1));
  const buffers = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(length > pieceBytes ? pieceBytes : 0)] as const;
  const read = (position: number, turn: number): Promise<Buffer> => {
    const buffer = buffers[turn % 2] ?? buffers[0];
    const wanted = Math.min(buffer.byteLength, length - position);
    const reading = file.read(buffer, 0, wanted, position).then(({ bytesRead }) => buffer.subarray(0, bytesRead));
    return quiet(reading);
  };
  let offset = 0;
  let ahead = length > 0 ? read(0, 0) : undefined;
  for (let turn = 1; ahead !== undefined; turn += 1) {
    const piece: Buffer = await ahead;
    offset += piece.byteLength;
    ahead = piece.byteLength > 0 && offset < length ? read(offset, turn) : undefined;
    hash.update(piece);
    if (signal?.aborted === true) {
      await ahead?.catch(() => undefined);
      signal.throwIfAborted();
    }
  }
  return { offset, hash };
}

// The failure is met at the next write, commit or close; without this it would count as unhandled until then.
function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

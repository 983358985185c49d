import type { FileHandle } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import { diskError, isDiskFull, writeFully } from "./file-model-store-disk.js";
import type { ObjectRef, ObjectWriter, StoredObject } from "./model-store.js";
import type { HashedPrefix, RunningHash } from "./running-hash.js";

/** What a writer needs from the store that opened it. */
export interface FileModelWriterComponents {
  readonly file: FileHandle;
  /** Records how many bytes survive a crash. */
  recordOffset(offset: number): Promise<void>;
  /** Gives the verified file its final name. */
  publish(): Promise<StoredObject>;
  /** Something had no room; gives back what can be given. */
  onDiskFull(): Promise<void>;
  /** Throws the unfinished object away. */
  discard(): Promise<void>;
  /** The writer is done; `prefix` is what it leaves behind. */
  released(prefix: HashedPrefix | undefined): void;
}

export interface FileModelWriterInit {
  readonly ref: ObjectRef;
  readonly path: string;
  /** Where to go on, and the hash of all before. */
  readonly offset: number;
  /** Bytes that the file has; those behind `offset` may be anything. */
  readonly fileBytes: number;
  readonly hash: RunningHash;
  readonly checkpointBytes: number;
}

/**
 * Appends to one unfinished file. Hashing overlaps with writing, and checkpoints run behind the caller, by four times their distance
 * at most, so that a slow fsync does not stop a fast link; memory stays at a few chunks.
 */
export class FileModelWriter implements ObjectWriter {
  readonly #components: FileModelWriterComponents;
  readonly #ref: ObjectRef;
  readonly #path: string;
  readonly #checkpointBytes: number;
  readonly #fileBytes: number;
  readonly #hash: RunningHash;
  #offset: number;
  #durable: HashedPrefix;
  #writing: Promise<void> = Promise.resolve();
  #checkpointing: Promise<void> = Promise.resolve();
  #lastCheckpoint: number;
  #isCheckpointing = false;
  #state: "open" | "superseded" | "finished" = "open";
  #committing: Promise<StoredObject> | undefined;
  #closing: Promise<void> | undefined;

  constructor(components: FileModelWriterComponents, init: FileModelWriterInit) {
    this.#components = components;
    this.#ref = init.ref;
    this.#path = init.path;
    this.#checkpointBytes = init.checkpointBytes;
    this.#fileBytes = init.fileBytes;
    this.#hash = init.hash;
    this.#offset = init.offset;
    this.#lastCheckpoint = init.offset;
    this.#durable = init.hash.prefix(init.offset);
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const position = await this.#take(chunk.byteLength);
    this.#write(position + chunk.byteLength, () => writeFully(this.#components.file, chunk, position));
    this.#hash.update(chunk);
    await this.#taken();
  }

  async writeZeros(length: number): Promise<void> {
    for (let done = 0; done < length; done += zeros.byteLength) {
      const piece = zeros.subarray(0, Math.min(zeros.byteLength, length - done));
      const end = (await this.#take(piece.byteLength)) + piece.byteLength;
      this.#write(end, () => this.#writeZeros(piece, end));
      this.#hash.update(piece);
      await this.#taken();
    }
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

  /** Where the file ends already, it grows by a hole. */
  async #writeZeros(zeros: Uint8Array, end: number): Promise<void> {
    if (end > this.#fileBytes) await this.#components.file.truncate(Math.max(end, this.#fileBytes));
    const begin = end - zeros.byteLength;
    const old = Math.min(zeros.byteLength, this.#fileBytes - begin);
    if (old > 0) await writeFully(this.#components.file, zeros.subarray(0, old), begin);
  }

  #write(end: number, write: () => Promise<void>): void {
    this.#writing = quiet(this.#writing.then(write).then(() => this.#hash.reached(end)));
  }

  /** The place of the next bytes, which are counted from now on. */
  async #take(length: number): Promise<number> {
    this.#requireOpen();
    if (this.#offset + length > this.#ref.size) {
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
    this.#offset += length;
    return position;
  }

  async #taken(): Promise<void> {
    const since = this.#offset - this.#lastCheckpoint;
    const isDue = since >= this.#checkpointBytes && (!this.#isCheckpointing || since >= mostBehind * this.#checkpointBytes);
    if (isDue) await this.#startCheckpoint();
    await this.#watch(this.#writing);
  }

  async #commit(): Promise<StoredObject> {
    if (this.#offset !== this.#ref.size) {
      throw new FlareError("transfer/incomplete", `Object ${this.#ref.hash} has ${this.#offset} of ${this.#ref.size} bytes.`, {
        facts: { hash: this.#ref.hash, offset: this.#offset, size: this.#ref.size },
      });
    }
    await this.#watch(this.#settled());
    if (this.#fileBytes > this.#ref.size) await this.#watch(this.#components.file.truncate(this.#ref.size));
    // The disk writes what is left, and that it is read-only, while the hash comes to its end.
    const { file } = this.#components;
    await this.#watch(file.chmod(0o444));
    const [actual] = await Promise.all([this.#hash.digest(), this.#watch(file.sync())]);
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
      return await this.#components.publish();
    } catch (error) {
      throw await this.#failed(error);
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
      if (this.#offset > this.#durable.offset) await this.#checkpoint(this.#hash.prefix(this.#offset));
    } catch {
      // The last checkpoint stands.
    } finally {
      await this.#hash.end().catch(() => undefined);
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
      await this.#hash.end().catch(() => undefined);
      await this.#components.file.close();
      this.#components.released(undefined);
    }
  }

  async #startCheckpoint(): Promise<void> {
    await this.#watch(this.#checkpointing);
    const prefix = this.#hash.prefix(this.#offset);
    this.#lastCheckpoint = prefix.offset;
    const written = this.#writing;
    this.#isCheckpointing = true;
    const done = (): void => void (this.#isCheckpointing = false);
    this.#checkpointing = quiet(written.then(async () => this.#checkpoint(prefix)).finally(done));
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
      throw await this.#failed(error);
    }
  }

  async #failed(reason: unknown): Promise<FlareError> {
    if (isDiskFull(reason)) await this.#components.onDiskFull();
    return diskError(reason, this.#path);
  }

  #requireOpen(): void {
    if (this.#state === "open") return;
    throw new FlareError("transfer/superseded", `Another writer took object ${this.#ref.hash} over, or this one is closed.`, {
      facts: { hash: this.#ref.hash, offset: this.#offset },
    });
  }
}

/** Distances of checkpoints that one may take before what comes in has to wait for it. */
const mostBehind = 4;
const zeros = Buffer.alloc(1024 * 1024);

// The failure is met at the next write, commit or close; without this it would count as unhandled until then.
function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

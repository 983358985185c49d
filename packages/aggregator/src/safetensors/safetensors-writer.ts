import type { Hash } from "node:crypto";
import { constants, type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { unwritable } from "../unwritable.js";
import { buildHeader } from "./build-header.js";
import type { TensorSpec } from "./layout.js";

export interface WrittenFile {
  /** Size of the file. */
  readonly bytes: number;
  /** Hash of the whole file, lower-case hexadecimal; empty where it was not asked for. */
  readonly sha256: string;
}

export interface WriteSafetensorsInit {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether the file survives a power cut once it is there; Node's permission model denies the fsync that this takes. @default true */
  readonly isDurable?: boolean | undefined;
  /** Whether the hash of the file is wanted, which takes about as long as writing it. @default true */
  readonly isHashed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A safetensors file that is being written, chunk by chunk, in the order of its tensors, under its name and `.part`; a file of that name is
 * written over. It appears under its own name only when it is finished; after `discard` nothing is left.
 */
export class SafetensorsWriter {
  readonly #path: string;
  readonly #part: FileHandle;
  readonly #totalBytes: number;
  readonly #init: WriteSafetensorsInit;
  readonly #hash: Hash | undefined;
  #written = 0;
  #isOpen = true;

  private constructor(
    components: { part: FileHandle; hash: Hash | undefined },
    path: string,
    totalBytes: number,
    init: WriteSafetensorsInit,
  ) {
    this.#part = components.part;
    this.#hash = components.hash;
    this.#path = path;
    this.#totalBytes = totalBytes;
    this.#init = init;
  }

  /** Begins a file with its header. @throws `aggregate/tensor-invalid`, `aggregate/safetensors-limit`, `file/unwritable` */
  static async create(path: string, tensors: readonly TensorSpec[], init: WriteSafetensorsInit = {}): Promise<SafetensorsWriter> {
    const { bytes: header, layout } = buildHeader(tensors, init.metadata);
    await refuseOther(path);
    // Loaded here: a trainer encodes in memory, and would hold 1.6 MB for nothing.
    const hash = init.isHashed === false ? undefined : (await import("node:crypto")).createHash("sha256");
    const part = await orUnwritable(path, open(partOf(path), constants.O_WRONLY | constants.O_CREAT, 0o666));
    const writer = new SafetensorsWriter({ part, hash }, path, layout.totalBytes, init);
    try {
      await writer.put(header);
    } catch (cause) {
      await writer.discard();
      throw cause;
    }
    return writer;
  }

  /**
   * Writes the next bytes; they may be used again once this resolves.
   *
   * @throws `aggregate/tensor-invalid` when there are more bytes than the tensors take, `file/unwritable`, `internal/aborted`
   */
  async put(chunk: Uint8Array): Promise<void> {
    throwIfAborted(this.#init.signal);
    if (this.#written + chunk.byteLength > this.#totalBytes) throw this.#wrongLength("more");
    const writing = orUnwritable(this.#path, writeFully(this.#part, chunk));
    // The hash is made while the system writes.
    this.#hash?.update(chunk);
    await writing;
    this.#written += chunk.byteLength;
  }

  /** Gives the file its name. @throws `aggregate/tensor-invalid` when there were fewer bytes than the tensors take, `file/unwritable` */
  async finish(): Promise<WrittenFile> {
    if (this.#written !== this.#totalBytes) throw this.#wrongLength("fewer");
    await orUnwritable(this.#path, this.#part.truncate(this.#totalBytes));
    if (this.#init.isDurable !== false) await orUnwritable(this.#path, this.#part.sync());
    await this.#close();
    await orUnwritable(this.#path, rename(partOf(this.#path), this.#path));
    return { bytes: this.#written, sha256: this.#hash?.digest("hex") ?? "" };
  }

  /** Removes what was written; does nothing once the file has its name. */
  async discard(): Promise<void> {
    await this.#close();
    await rm(partOf(this.#path), { force: true });
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#part.close();
  }

  #wrongLength(what: "more" | "fewer"): FlareError {
    return new FlareError("aggregate/tensor-invalid", `${this.#path}: ${what} bytes than the ${this.#totalBytes} that its tensors take.`, {
      facts: { file: this.#path, expectedBytes: this.#totalBytes },
    });
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}

/** What is no file, such as a folder or a device, must not give way to one: whoever is root would have no /dev/null any more. */
async function refuseOther(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  throw new FlareError("file/unwritable", `${path} is there already and is not a file.`, { facts: { file: path } });
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) done += (await file.write(chunk, done)).bytesWritten;
}

async function orUnwritable<T>(file: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    throw unwritable(`${file} cannot be written`, file, cause);
  }
}

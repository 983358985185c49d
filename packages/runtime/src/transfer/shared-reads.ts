import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";
import { readMemory } from "../store/read-memory.js";
import { SpareMemory } from "../transport/spare-memory.js";

/** Bytes that were read; they must not be written to. */
export interface ReadPiece {
  readonly bytes: Buffer;
  /** Nobody looks at the bytes any more: their memory may be read into again. */
  release(): void;
}

/** Reads pieces of one open object. */
export interface PieceReader {
  /** The bytes from `begin` up to `end`, which lie in one aligned piece of `limits.chunkBytes`. */
  read(begin: number, end: number): Promise<ReadPiece>;
  /** The same of another file, into the same memory; `limits.chunkBytes` at most, from anywhere, and for this reader alone. */
  readOf(file: FileHandle, begin: number, end: number): Promise<ReadPiece>;
  /** Whether there is memory for a piece that is not sent yet: not where many read, each of which holds one that is being sent. */
  mayReadAhead(): boolean;
  close(): void;
}

/** With more readers than these none reads ahead; there is always one that can go on. */
const mostReadAhead = 4;

/**
 * Reads each piece of an object once for all receivers that are close together. What was read for one is kept for the others,
 * `maxBytes` in all, the oldest given up first; an object with a single receiver is not kept.
 */
export class SharedReads {
  readonly #maxBytes: number;
  readonly #readers = new Map<string, number>();
  #open = 0;
  readonly #pieces = new Map<string, KeptPiece>();
  readonly #memory: SpareMemory<Buffer>;

  /**
   * @param init.maxBytes - @default limits.sharedChunkBytes
   * @param init.keptMs - as for `SpareMemory`
   */
  constructor(init: { readonly maxBytes?: number; readonly keptMs?: number } = {}) {
    this.#maxBytes = init.maxBytes ?? limits.sharedChunkBytes;
    this.#memory = new SpareMemory({ make: () => readMemory(limits.chunkBytes) }, init);
  }

  /** @param file - the caller's own, which stays open until it has closed the reader */
  open(object: { readonly hash: string; readonly size: number }, file: FileHandle): PieceReader {
    const { hash, size } = object;
    this.#readers.set(hash, (this.#readers.get(hash) ?? 0) + 1);
    this.#open += 1;
    let isOpen = true;
    const readOf = async (from: FileHandle, begin: number, end: number): Promise<ReadPiece> => {
      const piece = new KeptPiece((memory) => readInto(memory.subarray(0, end - begin), from, begin), this.#memory);
      return await piece.use(0, end - begin);
    };
    return {
      readOf,
      mayReadAhead: () => this.#open <= mostReadAhead,
      read: async (begin, end) => {
        if ((this.#readers.get(hash) ?? 0) < 2) return await readOf(file, begin, end);
        const first = begin - (begin % limits.chunkBytes);
        const last = Math.min(size, first + limits.chunkBytes);
        const piece = this.#piece(`${hash} ${first}`, (memory) => readInto(memory.subarray(0, last - first), file, first));
        return await piece.use(begin - first, end - first);
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#open -= 1;
        const left = (this.#readers.get(hash) ?? 1) - 1;
        if (left > 0) this.#readers.set(hash, left);
        else this.#readers.delete(hash);
        if (left <= 1) for (const key of this.#pieces.keys()) if (key.startsWith(`${hash} `)) this.#drop(key);
      },
    };
  }

  #piece(key: string, read: (memory: Buffer) => Promise<Buffer>): KeptPiece {
    const known = this.#pieces.get(key);
    if (known !== undefined) return known;
    const piece = new KeptPiece(read, this.#memory);
    piece.keep();
    this.#pieces.set(key, piece);
    piece.bytes.catch(() => this.#drop(key));
    // Pieces are of one size but for the last, so their number keeps the bytes.
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size * limits.chunkBytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
    return piece;
  }

  #drop(key: string): void {
    this.#pieces.get(key)?.release();
    this.#pieces.delete(key);
  }
}

/** A piece that was read, whose memory is free again when all who look at it have released it. */
class KeptPiece {
  readonly bytes: Promise<Buffer>;
  readonly #memory: SpareMemory<Buffer>;
  readonly #piece: Buffer;
  #uses = 0;

  constructor(read: (piece: Buffer) => Promise<Buffer>, memory: SpareMemory<Buffer>) {
    this.#memory = memory;
    this.#piece = memory.take();
    this.bytes = read(this.#piece);
  }

  keep(): void {
    this.#uses += 1;
  }

  async use(begin: number, end: number): Promise<ReadPiece> {
    this.keep();
    let isReleased = false;
    const bytes = await this.bytes;
    return {
      bytes: bytes.subarray(begin, end),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.release();
      },
    };
  }

  release(): void {
    this.#uses -= 1;
    if (this.#uses === 0) this.#memory.giveBack(this.#piece);
  }
}

/** @throws FlareError `file/unreadable` when the file ends before */
async function readInto(bytes: Buffer, file: FileHandle, begin: number): Promise<Buffer> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, begin + done);
    if (bytesRead === 0) {
      throw new FlareError("file/unreadable", "A finished object is shorter than it was.", { facts: { position: begin + done } });
    }
    done += bytesRead;
  }
  return bytes;
}

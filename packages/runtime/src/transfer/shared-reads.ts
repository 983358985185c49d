import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";
import { readMemory } from "../store/read-memory.js";

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
  close(): void;
}

/** What is kept for the next transfer, and for how long after the last: a round of training brings the next within it. */
const keptPieces = 8;
const keptMs = 10_000;

/**
 * Reads each piece of an object once for all receivers that are close together. What was read for one is kept for the others,
 * `maxBytes` in all, the oldest given up first; an object with a single receiver is not kept.
 */
export class SharedReads {
  readonly #maxBytes: number;
  readonly #readers = new Map<string, number>();
  readonly #pieces = new Map<string, KeptPiece>();
  /** Memory of pieces that nobody looks at any more. */
  readonly #free: Buffer[] = [];
  readonly #keptMs: number;
  #letGo: NodeJS.Timeout | undefined;

  /**
   * @param init.maxBytes - @default limits.sharedChunkBytes
   * @param init.keptMs - for how long memory is kept when no transfer is under way, in milliseconds. @default 10000
   */
  constructor(init: { readonly maxBytes?: number; readonly keptMs?: number } = {}) {
    this.#maxBytes = init.maxBytes ?? limits.sharedChunkBytes;
    this.#keptMs = init.keptMs ?? keptMs;
  }

  /** @param file - the caller's own, which stays open until it has closed the reader */
  open(object: { readonly hash: string; readonly size: number }, file: FileHandle): PieceReader {
    const { hash, size } = object;
    clearTimeout(this.#letGo);
    this.#readers.set(hash, (this.#readers.get(hash) ?? 0) + 1);
    let isOpen = true;
    return {
      read: async (begin, end) => {
        if ((this.#readers.get(hash) ?? 0) < 2) {
          const piece = new KeptPiece((memory) => readInto(memory.subarray(0, end - begin), file, begin), this.#free);
          return await piece.use(0, end - begin);
        }
        const first = begin - (begin % limits.chunkBytes);
        const last = Math.min(size, first + limits.chunkBytes);
        const piece = this.#piece(`${hash} ${first}`, (memory) => readInto(memory.subarray(0, last - first), file, first));
        return await piece.use(begin - first, end - first);
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (this.#readers.get(hash) ?? 1) - 1;
        if (left > 0) this.#readers.set(hash, left);
        else this.#readers.delete(hash);
        if (left <= 1) for (const key of this.#pieces.keys()) if (key.startsWith(`${hash} `)) this.#drop(key);
        if (this.#readers.size === 0) this.#becomeIdle();
      },
    };
  }

  #piece(key: string, read: (memory: Buffer) => Promise<Buffer>): KeptPiece {
    const known = this.#pieces.get(key);
    if (known !== undefined) return known;
    const piece = new KeptPiece(read, this.#free);
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

  /**
   * Keeps a little memory for a while. What is dropped is garbage that only a collection of everything takes away: with each round's,
   * such collections took a twentieth of the processor time of a round.
   */
  #becomeIdle(): void {
    this.#free.length = Math.min(this.#free.length, keptPieces);
    this.#letGo = setTimeout(() => {
      this.#free.length = 0;
    }, this.#keptMs).unref();
  }

  #drop(key: string): void {
    this.#pieces.get(key)?.release();
    this.#pieces.delete(key);
  }
}

/** A piece that was read, whose memory is free again when all who look at it have released it. */
class KeptPiece {
  readonly bytes: Promise<Buffer>;
  readonly #memory: Buffer;
  readonly #free: Buffer[];
  #uses = 0;

  constructor(read: (memory: Buffer) => Promise<Buffer>, free: Buffer[]) {
    this.#free = free;
    this.#memory = free.pop() ?? readMemory(limits.chunkBytes);
    this.bytes = read(this.#memory);
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
    if (this.#uses === 0) this.#free.push(this.#memory);
  }
}

/** The bytes of a file from `begin` up to `end`. @throws FlareError `file/unreadable` when it ends before */
export async function readFully(file: FileHandle, begin: number, end: number): Promise<Buffer> {
  return await readInto(readMemory(end - begin), file, begin);
}

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

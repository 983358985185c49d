import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";

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

/**
 * Reads each piece of an object once for all receivers that are close together. What was read for one is kept for the others,
 * `maxBytes` in all, the oldest given up first; an object with a single receiver is not kept.
 */
export class SharedReads {
  readonly #maxBytes: number;
  readonly #readers = new Map<string, number>();
  readonly #pieces = new Map<string, Promise<Buffer>>();

  /** @param init.maxBytes - @default limits.sharedChunkBytes */
  constructor(init: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = init.maxBytes ?? limits.sharedChunkBytes;
  }

  /** @param file - the caller's own, which stays open until it has closed the reader */
  open(object: { readonly hash: string; readonly size: number }, file: FileHandle): PieceReader {
    const { hash, size } = object;
    this.#readers.set(hash, (this.#readers.get(hash) ?? 0) + 1);
    let isOpen = true;
    const free: Buffer[] = [];
    return {
      read: async (begin, end) => {
        if ((this.#readers.get(hash) ?? 0) < 2) {
          const memory = free.pop() ?? Buffer.allocUnsafe(Math.min(limits.chunkBytes, size));
          return { bytes: await readInto(memory.subarray(0, end - begin), file, begin), release: () => void free.push(memory) };
        }
        const first = begin - (begin % limits.chunkBytes);
        const piece = await this.#piece(`${hash} ${first}`, () => readFully(file, first, Math.min(size, first + limits.chunkBytes)));
        return { bytes: piece.subarray(begin - first, end - first), release: () => undefined };
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (this.#readers.get(hash) ?? 1) - 1;
        if (left > 0) this.#readers.set(hash, left);
        else this.#readers.delete(hash);
        if (left <= 1) this.#forget(hash);
      },
    };
  }

  async #piece(key: string, read: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#pieces.get(key);
    if (known !== undefined) return await known;
    const piece = read();
    this.#pieces.set(key, piece);
    piece.catch(() => this.#pieces.delete(key));
    // Pieces are of one size but for the last, so their number keeps the bytes.
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size * limits.chunkBytes <= this.#maxBytes) break;
      this.#pieces.delete(oldest);
    }
    return await piece;
  }

  #forget(hash: string): void {
    for (const key of this.#pieces.keys()) if (key.startsWith(`${hash} `)) this.#pieces.delete(key);
  }
}

/** The bytes of a file from `begin` up to `end`. @throws FlareError `file/unreadable` when it ends before */
export async function readFully(file: FileHandle, begin: number, end: number): Promise<Buffer> {
  return await readInto(Buffer.allocUnsafe(end - begin), file, begin);
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

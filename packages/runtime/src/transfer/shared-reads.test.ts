import { randomBytes } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PieceReader, SharedReads } from "./shared-reads.js";

const size = 6 * limits.chunkBytes + 123;

describe("reads of an object that goes to many", () => {
  let folder: string;
  let file: FileHandle;
  let bytes: Buffer;
  let diskReads = 0;
  const object = { hash: "ab".repeat(32), size };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-shared-reads-"));
    bytes = randomBytes(size);
    await writeFile(join(folder, "model"), bytes);
    file = await open(join(folder, "model"), "r");
    diskReads = 0;
    const read = file.read.bind(file) as (...args: readonly unknown[]) => ReturnType<FileHandle["read"]>;
    Object.assign(file, {
      read: (...args: readonly unknown[]) => {
        diskReads += 1;
        return read(...args);
      },
    });
  });

  afterEach(async () => {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function readAll(reader: PieceReader, offset = 0): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let at = offset; at < size; ) {
      const end = Math.min(size, at - (at % limits.chunkBytes) + limits.chunkBytes);
      const piece = await reader.read(at, end);
      pieces.push(Buffer.from(piece.bytes));
      piece.release();
      at = end;
    }
    reader.close();
    return Buffer.concat(pieces);
  }

  it("reads each piece from disk once, however many receivers there are and wherever they begin", async () => {
    const reads = new SharedReads();
    const readers = Array.from({ length: 32 }, () => reads.open(object, file));
    const received = await Promise.all(readers.map((reader, i) => readAll(reader, i * 1000)));
    for (const [i, one] of received.entries()) expect(one.equals(bytes.subarray(i * 1000))).toBe(true);
    expect(diskReads).toBe(7);
  });

  it("keeps no more than it may, and gives a receiver that lags behind its own reads", async () => {
    const reads = new SharedReads({ maxBytes: 2 * limits.chunkBytes });
    const [fast, slow] = [reads.open(object, file), reads.open(object, file)];
    expect((await readAll(fast)).equals(bytes)).toBe(true);
    expect((await readAll(slow)).equals(bytes)).toBe(true);
    expect(diskReads).toBe(14);
  });

  it("reads for a single receiver into memory that it has given back", async () => {
    const reader = new SharedReads().open(object, file);
    const first = await reader.read(0, limits.chunkBytes);
    first.release();
    const second = await reader.read(limits.chunkBytes, 2 * limits.chunkBytes);
    expect(second.bytes.buffer).toBe(first.bytes.buffer);
    expect(second.bytes.equals(bytes.subarray(limits.chunkBytes, 2 * limits.chunkBytes))).toBe(true);
    reader.close();
  });

  it("keeps memory for the next transfer, and for no longer than it was told", async () => {
    const reads = new SharedReads({ keptMs: 20 });
    const memoryOfOne = async (): Promise<ArrayBufferLike> => {
      const reader = reads.open(object, file);
      const piece = await reader.read(0, limits.chunkBytes);
      piece.release();
      reader.close();
      return piece.bytes.buffer;
    };
    const first = await memoryOfOne();
    expect(await memoryOfOne()).toBe(first);
    await setTimeout(200);
    expect(await memoryOfOne()).not.toBe(first);
  });
});

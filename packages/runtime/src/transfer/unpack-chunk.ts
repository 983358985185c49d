import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";
import type { ObjectWriter } from "../store/model-store.js";
import { readMemory } from "../store/read-memory.js";
import type { Chunk } from "../transport/connection.js";
import { lengthOf } from "./chunk-forms.js";
import { decompress } from "./compression-choice.js";

/**
 * Writes what a chunk stands for, and gives its memory back. What the writer has already is passed over.
 *
 * @param base - the object that chunks of this stream may copy from, open for reading
 * @returns whether the chunk was taken; one that leaves a gap is not
 * @throws FlareError `transfer/protocol` for a chunk that stands for more than it may, or for bytes that are not there
 */
export async function unpackChunk(writer: ObjectWriter, chunk: Chunk, base: FileHandle | undefined): Promise<boolean> {
  const known = writer.offset - chunk.offset;
  const length = lengthOf(chunk);
  checkLength(chunk, length);
  if (known < 0) return false;
  if (known >= length) return true;
  const { data, packed } = chunk;
  if (packed === undefined) await writer.write(known === 0 ? data : data.subarray(known));
  else if (packed.form === "zeros") await writer.writeZeros(length - known);
  else if (packed.form === "zstd") await writer.write((await unpackFrame(data, length)).subarray(known));
  else await copyRange(writer, base, packed.from + known, length - known);
  chunk.release?.();
  return true;
}

function checkLength({ packed }: Chunk, length: number): void {
  const most = packed?.form === "zstd" ? limits.chunkBytes : limits.chunkRunBytes;
  // The bytes of plain data are here already; the largest message bounds them.
  if (packed === undefined || length <= most) return;
  throw new FlareError("transfer/protocol", `A chunk stands for ${length} bytes, where ${most} are allowed.`, { facts: { length, most } });
}

async function unpackFrame(frame: Buffer, length: number): Promise<Buffer> {
  const bytes = await decompress(frame, length);
  if (bytes !== undefined) return bytes;
  throw new FlareError("transfer/protocol", `A compressed chunk does not hold the ${length} bytes that it should.`, { facts: { length } });
}

async function copyRange(writer: ObjectWriter, base: FileHandle | undefined, from: number, length: number): Promise<void> {
  if (base === undefined) throw new FlareError("transfer/protocol", "A chunk copies from a base that was not named.");
  const piece = readMemory(Math.min(limits.chunkBytes, length));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await base.read(piece, 0, Math.min(piece.byteLength, length - done), from + done);
    if (bytesRead === 0) throw new FlareError("transfer/protocol", "A chunk copies from behind the end of its base.");
    await writer.write(piece.subarray(0, bytesRead));
    done += bytesRead;
  }
}

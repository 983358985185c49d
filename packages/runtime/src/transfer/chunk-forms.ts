import type { Chunk, ChunkForm } from "../transport/connection.js";
import { hasZstd } from "./compression-choice.js";

/** The forms of chunks that this process reads besides plain data. */
export function readableForms(): readonly ChunkForm[] {
  return hasZstd() ? ["zeros", "copy", "zstd"] : ["zeros", "copy"];
}

/** Bytes of its object that a chunk stands for. */
export function lengthOf({ data, packed }: Chunk): number {
  return packed?.length ?? data.byteLength;
}

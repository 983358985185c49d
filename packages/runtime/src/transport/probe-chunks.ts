import { type ContentHash, FlareError, limits } from "@flare-ts/contracts";
import type { Chunk } from "./connection.js";

/** Counts what arrives and throws it away. @throws FlareError `transfer/protocol` when it is more than a probe may be */
export async function countProbe(chunks: AsyncIterable<Chunk>): Promise<number> {
  let bytes = 0;
  for await (const { data } of chunks) {
    bytes += data.byteLength;
    if (bytes > limits.probeBytes) throw tooMuch();
  }
  return bytes;
}

/** Zeros, so many bytes of them. @throws FlareError `transfer/protocol` when they are more than a probe may be */
export async function* probeChunks(bytes: number): AsyncGenerator<Chunk, void, undefined> {
  if (bytes > limits.probeBytes) throw tooMuch();
  for (let offset = 0; offset < bytes; offset += limits.chunkBytes)
    yield { offset, data: zeros(Math.min(limits.chunkBytes, bytes - offset)) };
}

/** The first piece of a probe on its way up: like every stream of chunks it names an object, here none that exists. */
export function firstProbeChunk(bytes: number): Chunk {
  return { object: { hash: "0".repeat(64) as ContentHash, size: limits.probeBytes }, offset: 0, data: zeros(bytes) };
}

/** A further piece. */
export function nextProbeChunk(offset: number, bytes: number): Chunk {
  return { offset, data: zeros(bytes) };
}

function zeros(bytes: number): Buffer {
  return Buffer.alloc(bytes);
}

function tooMuch(): FlareError {
  return new FlareError("transfer/protocol", `A probe carries ${limits.probeBytes} bytes at most.`);
}

import type { ByteSource } from "../byte-source.js";
import type { ReadPlan } from "./plan-reads.js";

/** Fills a buffer as it was planned. @throws as `ByteSource.read` */
export async function readPieces(source: ByteSource, { reads }: ReadPlan, buffer: Uint8Array): Promise<void> {
  for (const { position, at, bytes } of reads) await source.read(buffer.subarray(at, at + bytes), position);
}

/** A buffer that grows to what is asked for and is used again. */
export class ReusedBuffer {
  #bytes = new Uint8Array(0);

  /** At least so many bytes, from the beginning of their buffer; what was in them before is gone. */
  of(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.byteLength < bytes) this.#bytes = new Uint8Array(bytes);
    return this.#bytes;
  }
}

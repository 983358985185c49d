import { promisify } from "node:util";
import * as zlib from "node:zlib";

/** Bytes that are tried before a stretch is compressed, and the longest stretch that one trial decides about. */
const sampleBytes = 64 * 1024;
const stretchBytes = 16 * 1024 * 1024;
/** What is left of a sample that compresses so well is sent compressed before anything is known of the link. */
const clearShare = 0.5;
/** What saves less is not worth a receiver's time on any link. */
const leastSaving = 0.1;
/** Bytes that have to be under way before the speed of the link is known. */
const knownLinkBytes = 4 * 1024 * 1024;

/** Whether this Node can compress and decompress with Zstandard. */
export function hasZstd(): boolean {
  return typeof zlib.zstdCompress === "function" && typeof zlib.zstdDecompress === "function";
}

/**
 * Decides stretch by stretch whether compressing pays: the time that it saves on the link, at the speed that the link has shown,
 * against the time that it takes. A stretch is a tensor, or 16 MiB of a long one, or of an object whose tensors are not known.
 */
export class CompressionChoice {
  readonly #now: () => number;
  readonly #startedMs: number;
  #sentBytes = 0;
  #until = 0;
  #isWorth = false;

  /** @param components.now - milliseconds of a steady clock */
  constructor(components: { readonly now: () => number }) {
    this.#now = components.now;
    this.#startedMs = components.now();
  }

  /** So many bytes have been given to the link. */
  noteSent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /**
   * The piece compressed to one frame, or `undefined` where it is better sent as it is.
   *
   * @param offset - where the piece lies in its object
   * @param nextTensor - where the tensor ends that it belongs to; infinite where that is not known
   */
  async compress(piece: Buffer, offset: number, nextTensor: number): Promise<Buffer | undefined> {
    if (offset >= this.#until) await this.#decide(piece, offset, nextTensor);
    if (!this.#isWorth) return undefined;
    const packed = await deflate(piece);
    return packed.byteLength < piece.byteLength * (1 - leastSaving) ? packed : undefined;
  }

  async #decide(piece: Buffer, offset: number, nextTensor: number): Promise<void> {
    const sample = piece.subarray(0, sampleBytes);
    const startMs = this.#now();
    const packed = await deflate(sample);
    const costMs = this.#now() - startMs;
    this.#until = Math.min(Math.max(nextTensor, offset + piece.byteLength), offset + stretchBytes);
    this.#isWorth = this.#pays(sample.byteLength, packed.byteLength, costMs);
  }

  #pays(bytes: number, packedBytes: number, costMs: number): boolean {
    const saved = bytes - packedBytes;
    if (saved < bytes * leastSaving) return false;
    const elapsedMs = this.#now() - this.#startedMs;
    if (this.#sentBytes < knownLinkBytes || elapsedMs <= 0) return packedBytes <= bytes * clearShare;
    return saved / (this.#sentBytes / elapsedMs) > costMs;
  }
}

/**
 * The bytes of one frame.
 *
 * @param length - what they must come to: not a byte more is made, whatever the frame says
 * @returns `undefined` when the frame does not hold exactly these
 */
export async function decompress(frame: Buffer, length: number): Promise<Buffer | undefined> {
  try {
    const bytes = await inflate(frame, { maxOutputLength: length });
    return bytes.byteLength === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

// Level 1: what is to be gained of numbers is gained by it, at several times the speed of the default.
async function deflate(bytes: Buffer): Promise<Buffer> {
  return await promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)(bytes, {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 },
  });
}

async function inflate(bytes: Buffer, options: zlib.ZstdOptions): Promise<Buffer> {
  return await promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)(bytes, options);
}

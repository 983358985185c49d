import { limits } from "@flare-ts/contracts/errors";
import { SpareMemory } from "./spare-memory.js";
import { sliceBytes } from "./write-in-slices.js";

/** What a message of grpc-js has before its bytes: whether it is compressed, and its length. */
export const prefixBytes = 5;

/** What stands around the data of a chunk, and more. */
const aroundBytes = 1024;
/** Smaller messages are cut from Node's own pool. */
const leastBytes = 64 * 1024;

/**
 * Memory for the framed messages of transfers that is used again. What is only dropped counts as external memory until a collection of
 * all garbage finds it: with a megabyte for each message, collections took a third of the processor time of a transfer, and fresh pages
 * as much again.
 */
export class MessageMemory {
  readonly #own = new WeakSet<object>();
  readonly #pieceBytes: number;
  readonly #spare: SpareMemory<ArrayBuffer>;

  /**
   * @param init.dataBytes - data of the longest message that is put into such memory. @default limits.chunkBytes
   * @param init.most - as for `SpareMemory`
   */
  constructor(init: { readonly dataBytes?: number; readonly most?: number } = {}) {
    this.#pieceBytes = (init.dataBytes ?? limits.chunkBytes) + aroundBytes;
    this.#spare = new SpareMemory({ make: () => this.#make() }, init);
  }

  /** Room for a framed message, with anything in it. */
  take(bytes: number): Buffer {
    if (bytes < leastBytes || bytes > this.#pieceBytes) return Buffer.allocUnsafe(bytes);
    return Buffer.from(this.#spare.take(), 0, bytes);
  }

  /** Whether `bytes` lie in memory that can be given back. */
  isOwn({ buffer }: Buffer): boolean {
    return this.#own.has(buffer);
  }

  /** Nobody looks at the bytes any more, nor at others of the same message. Harmless for bytes of other memory. */
  giveBack({ buffer }: Buffer): void {
    if (buffer instanceof ArrayBuffer && this.#own.has(buffer)) this.#spare.giveBack(buffer);
  }

  #make(): ArrayBuffer {
    const { buffer } = Buffer.allocUnsafeSlow(this.#pieceBytes);
    this.#own.add(buffer);
    return buffer;
  }
}

/**
 * Of messages that come in, and of the first slices of those that go out, shared by all connections of the process, as grpc-js knows of no
 * other place for them. They are kept apart: what a site sent is never in memory that something goes out from, whatever goes wrong with
 * giving it back.
 */
export const receivedMemory = new MessageMemory();
/** See {@link receivedMemory}. */
export const sentMemory = new MessageMemory({ dataBytes: sliceBytes });

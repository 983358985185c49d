import { limits } from "@flare-ts/contracts";
import type { Chunk } from "./connection.js";

export interface ChunkSharesInit {
  /** Chunks that all streams together hold. @default those of limits.chunksUnderWayBytes */
  readonly total?: number;
  /** Chunks that one stream can make use of. @default 4 */
  readonly most?: number;
}

/** What one stream may hold of the chunks of all. */
export interface ChunkShare {
  /** Chunks that it may hold at this moment, one at least. */
  readonly most: number;
  /** The chunks as they come; from the first to the last the stream counts as one that moves some. */
  count(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined>;
}

/**
 * Divides the chunks that are held in memory between the streams that move some: a few streams hold several each, so that neither line nor
 * disk waits for the other, and many hold one each, as there is always one that can go on. Memory does not grow with their number.
 */
export class ChunkShares {
  readonly #total: number;
  readonly #most: number;
  #streams = 0;

  constructor({ total = limits.chunksUnderWayBytes / limits.chunkBytes, most = 4 }: ChunkSharesInit = {}) {
    this.#total = total;
    this.#most = most;
  }

  /** The share of one stream, which changes as others come and go. */
  open(): ChunkShare {
    const most = (): number => Math.max(1, Math.min(this.#most, Math.floor(this.#total / Math.max(1, this.#streams))));
    return {
      get most() {
        return most();
      },
      count: (chunks) => this.#count(chunks),
    };
  }

  async *#count(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
    let isCounted = false;
    try {
      for await (const chunk of chunks) {
        if (!isCounted) this.#streams += 1;
        isCounted = true;
        yield chunk;
      }
    } finally {
      if (isCounted) this.#streams -= 1;
    }
  }
}

import type { FileHandle } from "node:fs/promises";
import type { ObjectWriter } from "../store/model-store.js";
import type { Chunk } from "../transport/connection.js";
import { unpackChunk } from "./unpack-chunk.js";

export interface ChunkIntakeInit {
  /** Chunks that may be in the writing while the next one comes in. @default 4 */
  readonly most?: () => number;
}

/**
 * Takes the chunks of one stream into an object. A few are being written at any time, so that neither the link nor the disk waits for a
 * turn of the other; memory stays at these few.
 */
export class ChunkIntake {
  readonly #writer: ObjectWriter;
  readonly #most: () => number;
  readonly #underWay: Promise<boolean>[] = [];

  constructor(components: { readonly writer: ObjectWriter }, { most = () => 4 }: ChunkIntakeInit = {}) {
    this.#writer = components.writer;
    this.#most = most;
  }

  /**
   * Takes the next chunk, as `unpackChunk` does.
   *
   * @returns whether this one and those before it are taken; one that leaves a gap is not
   * @throws what taking this chunk, or one before it, failed with
   */
  async take(chunk: Chunk, base: FileHandle | undefined): Promise<boolean> {
    // Only what is plain begins at once where the one before it ends.
    if (chunk.packed !== undefined && !(await this.settled())) return false;
    const taken = unpackChunk(this.#writer, chunk, base);
    taken.catch(() => undefined);
    this.#underWay.push(taken);
    if (chunk.packed !== undefined) return await this.settled();
    const most = this.#most();
    while (this.#underWay.length >= most) if ((await this.#underWay.shift()) === false) return false;
    return true;
  }

  /** Whether all that were given are taken. @throws what one failed with */
  async settled(): Promise<boolean> {
    const taken = await Promise.all(this.#underWay.splice(0));
    return taken.every(Boolean);
  }
}

import { frameOf } from "./chunk-codec.js";
import type { Chunk } from "./connection.js";
import { type MessageMemory, sentMemory } from "./message-memory.js";

/**
 * Gives the memory of chunks back that one stream has sent. A stream that is torn down says of all its writes that they are done, although
 * a socket may still read from them; so a chunk's memory goes back when another has gone out that was written after it was done.
 */
export class SentFrames {
  readonly #memory: Pick<MessageMemory, "giveBack">;
  readonly #waiting: { readonly frame: Buffer; readonly written: number }[] = [];
  #written = 0;

  constructor(components: { readonly memory?: Pick<MessageMemory, "giveBack"> } = {}) {
    this.#memory = components.memory ?? sentMemory;
  }

  /** A chunk to write in the place of one that may be written more than once, and what is to be told that it has gone out. */
  prepare(chunk: Chunk): { readonly message: Chunk; readonly wentOut: () => void } {
    const number = (this.#written += 1);
    const message = { ...chunk };
    return { message, wentOut: () => this.#wentOut(message, number) };
  }

  #wentOut(chunk: Chunk, number: number): void {
    for (let first = this.#waiting[0]; first !== undefined && first.written < number; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#memory.giveBack(first.frame);
    }
    const frame = frameOf(chunk);
    if (frame !== undefined) this.#waiting.push({ frame, written: this.#written });
  }
}

import { Readable } from "node:stream";

/** A reader that has left so much unread, beside one large event, is cut off; it comes back and goes on, or gets a snapshot. */
const mostUnreadBytes = 4 * 1024 * 1024;

/** The body of an answer that goes on: server-sent events as they come. */
export class EventStream extends Readable {
  readonly #onEnd: () => void;
  /** Of one event. */
  #largestBytes = 0;

  /** @param init - `onEnd`: the reader is gone, or was cut off; called once */
  constructor(init: { readonly onEnd: () => void }) {
    super({ highWaterMark: 64 * 1024, emitClose: true });
    this.#onEnd = init.onEnd;
  }

  /** Sends an event; a reader who does not read is cut off. */
  send(text: string): void {
    if (this.destroyed || this.readableEnded) return;
    this.push(text);
    this.#largestBytes = Math.max(this.#largestBytes, Buffer.byteLength(text));
    if (this.readableLength > mostUnreadBytes + this.#largestBytes) this.destroy();
  }

  /** Ends the answer in good order. */
  end(): void {
    if (!this.destroyed) this.push(null);
  }

  // Events are pushed as they come; nothing is made on demand.
  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#onEnd();
    done(error);
  }
}

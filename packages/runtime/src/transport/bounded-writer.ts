import type { Writable } from "node:stream";
import { FlareError } from "@flare-ts/contracts";

export interface BoundedWriterInit {
  /** Messages that may be under way at once; a number that changes is asked for again and again. */
  readonly maxPending: number | (() => number);
}

/**
 * Writes messages to a stream of grpc-js with backpressure: `write` resolves when another message can be taken, and
 * rejects once the stream is over. grpc-js forgets the callbacks of writes to a call that has ended, so `fail` must be
 * called then.
 */
export class BoundedWriter<Message> {
  readonly #stream: Writable;
  readonly #maxPending: () => number;
  #pending = 0;
  #failure: unknown;
  readonly #waiting: Waiting[] = [];
  readonly #leaving: Waiting[] = [];

  constructor(stream: Writable, { maxPending }: BoundedWriterInit) {
    this.#stream = stream;
    this.#maxPending = typeof maxPending === "number" ? () => maxPending : maxPending;
  }

  /** @throws FlareError `transfer/disconnected`, or the reason given to `fail` */
  async write(message: Message): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending += 1;
    this.#stream.write(message, (error) => this.#written(error));
    if (this.#pending < this.#maxPending()) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Resolves when one message more has gone out; `false` when none is under way. Rejects as `write` does. */
  async wentOut(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pending === 0) return false;
    await new Promise<void>((resolve, reject) => {
      this.#leaving.push({ resolve, reject });
    });
    return true;
  }

  /** Ends all waits and later writes with the reason. */
  fail(reason: unknown): void {
    this.#failure ??= reason;
    for (const waiter of [...this.#waiting.splice(0), ...this.#leaving.splice(0)]) waiter.reject(this.#failure);
  }

  #written(error: Error | null | undefined): void {
    this.#pending -= 1;
    if (error) this.fail(new FlareError("transfer/disconnected", "The stream ended before everything was sent.", { cause: error }));
    else if (this.#pending < this.#maxPending()) for (const waiter of this.#waiting.splice(0)) waiter.resolve();
    for (const waiter of this.#leaving.splice(0)) waiter.resolve();
  }
}

interface Waiting {
  resolve(): void;
  reject(reason: unknown): void;
}

import type { MessageChannel } from "./message-channel.js";

/** Two ends of a line within one process. Messages are copied through JSON, and arrive in a later turn, as between processes. */
export function memoryChannels(): readonly [MessageChannel, MessageChannel] {
  const first = new MemoryEnd();
  const second = new MemoryEnd();
  first.other = second;
  second.other = first;
  return [first, second];
}

class MemoryEnd implements MessageChannel {
  other: MemoryEnd | undefined;
  readonly #closeListeners: (() => void)[] = [];
  readonly #early: string[] = [];
  #listener: ((message: unknown) => void) | undefined;
  #isClosed = false;

  send(message: unknown): void {
    if (this.#isClosed) return;
    const text = JSON.stringify(message);
    setImmediate(() => this.other?.take(text));
  }

  take(text: string): void {
    if (this.#isClosed) return;
    if (this.#listener === undefined) this.#early.push(text);
    else this.#listener(JSON.parse(text));
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener;
    for (const text of this.#early.splice(0)) listener(JSON.parse(text));
  }

  onClose(listener: () => void): void {
    if (this.#isClosed) queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const listener of this.#closeListeners.splice(0)) listener();
    const { other } = this;
    setImmediate(() => other?.close());
  }
}

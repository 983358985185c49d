import { type MessageMemory, prefixBytes } from "./message-memory.js";

/** So much of a message has to be there before memory for all of it is taken: who only announces messages is to cost nothing. */
const earlyBytes = 64 * 1024;

/** Puts the framed messages of a stream of gRPC together, each in one piece of memory into which its parts go as they come. */
export class MessageDecoder {
  readonly #memory: MessageMemory;
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixDone = 0;
  /** Parts of a message of which little has come yet. */
  #early: Buffer[] = [];
  #message: Buffer | undefined;
  #done = 0;

  /** @param init.maxBytes - of a message; -1: any number */
  constructor(components: { readonly memory: MessageMemory }, init: { readonly maxBytes: number }) {
    this.#memory = components.memory;
    this.#maxBytes = init.maxBytes;
  }

  /**
   * Takes the next bytes of the stream; gives the messages that end in them, with their prefixes.
   *
   * @throws Error when a message is longer than it may be
   */
  write(data: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < data.byteLength; ) {
      at += this.#prefixDone < prefixBytes ? this.#takePrefix(data, at) : this.#takePart(data, at);
      if (this.#prefixDone < prefixBytes || this.#done < this.#bytes) continue;
      messages.push(this.#whole());
      this.#prefixDone = 0;
      this.#done = 0;
      this.#message = undefined;
    }
    return messages;
  }

  /** Of the message that has begun, with its prefix. */
  get #bytes(): number {
    return prefixBytes + this.#prefix.readUInt32BE(1);
  }

  #takePrefix(data: Buffer, at: number): number {
    const taken = data.copy(this.#prefix, this.#prefixDone, at, at + prefixBytes - this.#prefixDone);
    this.#prefixDone += taken;
    if (this.#prefixDone < prefixBytes) return taken;
    const size = this.#bytes - prefixBytes;
    // In the words of grpc-js, whose decoder this stands for.
    if (this.#maxBytes !== -1 && size > this.#maxBytes) throw new Error(`Received message larger than max (${size} vs ${this.#maxBytes})`);
    this.#done = prefixBytes;
    return taken;
  }

  #takePart(data: Buffer, at: number): number {
    const part = data.subarray(at, at + this.#bytes - this.#done);
    if (this.#message === undefined && this.#done + part.byteLength < Math.min(this.#bytes, earlyBytes)) this.#early.push(part);
    else this.#whole().set(part, this.#done);
    this.#done += part.byteLength;
    return part.byteLength;
  }

  /** The message's memory, with all in it that has come. */
  #whole(): Buffer {
    if (this.#message !== undefined) return this.#message;
    const message = this.#memory.take(this.#bytes);
    let end = this.#prefix.copy(message);
    for (const part of this.#early) end += part.copy(message, end);
    this.#early = [];
    this.#message = message;
    return message;
  }
}

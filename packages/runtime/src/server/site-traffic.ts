import type { ServerMessage, SubmitUpdateRequest } from "@flare-ts/contracts/wire";
import type { Chunk } from "../transport/connection.js";

/** Bytes of models and updates that went between the server and a participant. */
export interface Traffic {
  /** From the participant to the server. */
  readonly receivedBytes: number;
  /** From the server to the participant. */
  readonly sentBytes: number;
  /** Bytes per second of the last transfer that was large enough to tell; `null` before one. */
  readonly receivedBytesPerSecond: number | null;
  readonly sentBytesPerSecond: number | null;
}

/** What a transfer has to carry before its speed says something of the way. */
const tellingBytes = 256 * 1024;

const none: Traffic = Object.freeze({ receivedBytes: 0, sentBytes: 0, receivedBytesPerSecond: null, sentBytesPerSecond: null });

/** Counts the bytes of transfers by participant, and how fast they went. */
export class SiteTraffic {
  readonly #steadyNow: () => number;
  readonly #byName = new Map<string, Traffic>();

  /** @param components - `steadyNow`: milliseconds of a clock that never jumps */
  constructor(components: { readonly steadyNow: () => number }) {
    this.#steadyNow = components.steadyNow;
  }

  of(name: string): Traffic {
    return this.#byName.get(name) ?? none;
  }

  /** Everything that went, by whomever. */
  total(): Pick<Traffic, "receivedBytes" | "sentBytes"> {
    let [receivedBytes, sentBytes] = [0, 0];
    for (const traffic of this.#byName.values()) {
      receivedBytes += traffic.receivedBytes;
      sentBytes += traffic.sentBytes;
    }
    return { receivedBytes, sentBytes };
  }

  /** The same chunks, counted as received from a participant. */
  received(name: string, chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk> {
    return this.#count(name, chunks, "receivedBytes", "receivedBytesPerSecond");
  }

  /** The same chunks, counted as sent to a participant. */
  sent(name: string, chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk> {
    return this.#count(name, chunks, "sentBytes", "sentBytesPerSecond");
  }

  /** The same way of sending, where models inside messages are counted as sent to a participant. */
  sendingTo(name: string, send: (message: ServerMessage) => Promise<void>): (message: ServerMessage) => Promise<void> {
    return (message) => {
      if (message.message.case === "task") this.#add(name, "sentBytes", message.message.value.modelBytes?.byteLength ?? 0);
      return send(message);
    };
  }

  /** The same request, with an update inside it counted as received from a participant. */
  handedIn(name: string, request: SubmitUpdateRequest): SubmitUpdateRequest {
    this.#add(name, "receivedBytes", request.updateBytes?.byteLength ?? 0);
    return request;
  }

  #add(name: string, total: "receivedBytes" | "sentBytes", bytes: number): void {
    if (bytes === 0) return;
    const before = this.of(name);
    this.#byName.set(name, { ...before, [total]: before[total] + bytes });
  }

  async *#count(
    name: string,
    chunks: AsyncIterable<Chunk>,
    total: "receivedBytes" | "sentBytes",
    speed: "receivedBytesPerSecond" | "sentBytesPerSecond",
  ): AsyncGenerator<Chunk, void, undefined> {
    const beganMs = this.#steadyNow();
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.data.byteLength;
      this.#add(name, total, chunk.data.byteLength);
      yield chunk;
      const seconds = (this.#steadyNow() - beganMs) / 1000;
      if (bytes >= tellingBytes && seconds > 0) this.#byName.set(name, { ...this.of(name), [speed]: Math.round(bytes / seconds) });
    }
  }
}

import type { Duplex } from "node:stream";
import { FlareError } from "@flare-ts/contracts/errors";
import { type JobMessage, maxLineBytes, type TrainerMessage } from "./protocol.js";

/** A JSON object with a `type`, as it came in; nothing else about it is checked. */
export interface RawMessage {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface LineChannelInit {
  onMessage(message: RawMessage): void;
  /** The channel is over; called once. The error is there when the peer broke the protocol. */
  onClose(error: FlareError | undefined): void;
}

/** One JSON object a line, UTF-8, both ways over a byte stream. */
export class LineChannel {
  readonly #stream: Duplex;
  readonly #init: LineChannelInit;
  #chunks: Buffer[] = [];
  #pendingBytes = 0;
  #isOpen = true;

  constructor(components: { readonly stream: Duplex }, init: LineChannelInit) {
    this.#stream = components.stream;
    this.#init = init;
  }

  /** Begins to listen. */
  start(): void {
    this.#stream.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#stream.on("end", () => this.#close(undefined));
    this.#stream.on("close", () => this.#close(undefined));
    this.#stream.on("error", () => this.#close(undefined));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends a message; nothing happens when the channel is over. */
  send(message: JobMessage | TrainerMessage): void {
    if (this.#isOpen) this.#stream.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends the channel after what was sent has left. */
  end(): void {
    this.#stream.end();
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    for (;;) {
      const at = rest.indexOf(0x0a);
      if (at < 0) break;
      const line = Buffer.concat([...this.#chunks, rest.subarray(0, at)]);
      this.#chunks = [];
      this.#pendingBytes = 0;
      rest = rest.subarray(at + 1);
      if (!this.#isOpen) return;
      this.#takeLine(line);
    }
    this.#chunks.push(rest);
    this.#pendingBytes += rest.length;
    if (this.#pendingBytes > maxLineBytes) this.#violate(`A line of the Client API channel is longer than ${maxLineBytes} bytes.`);
  }

  #takeLine(line: Buffer): void {
    let message: unknown;
    try {
      message = JSON.parse(line.toString("utf8"));
    } catch {
      this.#violate("A line of the Client API channel is not JSON.");
      return;
    }
    if (typeof message !== "object" || message === null || typeof (message as RawMessage).type !== "string") {
      this.#violate("A line of the Client API channel is not an object with a type.");
      return;
    }
    this.#init.onMessage(message as RawMessage);
  }

  #violate(text: string): void {
    this.violated(new FlareError("client-api/protocol-violation", text));
  }

  /** Tells the peer what it broke and closes the channel. */
  violated(error: FlareError): void {
    this.send({ type: "error", error: error.toJSON() });
    this.#stream.end();
    this.#close(error);
  }

  #close(error: FlareError | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#init.onClose(error);
    if (!this.#stream.writableEnded) this.#stream.end();
  }
}

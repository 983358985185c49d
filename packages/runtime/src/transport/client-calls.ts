import { FlareError } from "@flare-ts/contracts";
import { type Client, type ClientDuplexStream, type ClientReadableStream, Metadata, type MethodDefinition } from "@grpc/grpc-js";
import { BoundedWriter, type BoundedWriterInit } from "./bounded-writer.js";
import { limitReadAhead } from "./flow-control.js";
import { fromWireStatus } from "./wire-error.js";

export interface CallOptions {
  /** Gives a call its metadata; `body` is its request where that is a single message. */
  readonly authorize?: (method: string, body: Uint8Array | undefined) => Metadata;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from now. */
  readonly deadlineMs?: number;
}

/** The calls of one channel: promises and async iterators over grpc-js, each of which ends with the channel. */
export class ClientCalls {
  readonly #client: Client;
  readonly #peer: string;
  readonly #running = new Set<Cancellable>();
  readonly #idle: (() => void)[] = [];
  #failure: FlareError | undefined;

  constructor(components: { readonly client: Client }, init: { readonly peer: string }) {
    this.#client = components.client;
    this.#peer = init.peer;
  }

  /** Address of the other side, for messages. */
  get peer(): string {
    return this.#peer;
  }

  /** Fails later calls with the reason; those under way go on. */
  refuseNew(reason: FlareError): void {
    this.#failure = reason;
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Cancels every call, and fails later ones, with the reason. */
  endAll(reason: FlareError): void {
    this.#failure = reason;
    for (const call of this.#running) call.cancel();
  }

  async unary<Request, Reply>(method: MethodDefinition<Request, Reply>, request: Request, options: CallOptions = {}): Promise<Reply> {
    this.#requireAlive(options);
    const { deadlineMs } = options;
    const body = method.requestSerialize(request);
    return await new Promise<Reply>((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        asItIs,
        method.responseDeserialize,
        body,
        authorized(method, body, options),
        deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
        (error, reply) => {
          release();
          if (error === null && reply !== undefined) resolve(reply);
          else reject(this.#errorOf(error, options));
        },
      );
      const release = this.#follow(call, options);
    });
  }

  /** Sends all messages; resolves with the reply, which may come before the last one is sent. */
  async sendStream<Request, Reply>(
    method: MethodDefinition<Request, Reply>,
    messages: AsyncIterable<Request>,
    { options = {}, ...bounds }: BoundedWriterInit & { readonly options?: CallOptions },
  ): Promise<Reply> {
    this.#requireAlive(options);
    const answered = new AbortController();
    let sending: Promise<void> = Promise.resolve();
    const reply = new Promise<Reply>((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        authorized(method, undefined, options),
        {},
        (error, message) => {
          release();
          answered.abort();
          writer.fail(answered.signal.reason);
          if (error === null && message !== undefined) resolve(message);
          else reject(this.#errorOf(error, options));
        },
      );
      const release = this.#follow(call, options);
      const writer = new BoundedWriter<Request>(call, bounds);
      sending = this.#send(messages, writer, answered.signal).then(
        () => void call.end(),
        (reason: unknown) => {
          if (answered.signal.aborted) return;
          reject(FlareError.from(reason));
          call.cancel();
        },
      );
    });
    try {
      return await reply;
    } finally {
      // The source of the messages is closed before the caller goes on.
      await sending;
    }
  }

  async *receiveStream<Request, Message>(
    method: MethodDefinition<Request, Message>,
    request: Request,
    readAhead: number,
    options: CallOptions = {},
  ): AsyncGenerator<Message, void, undefined> {
    this.#requireAlive(options);
    const body = method.requestSerialize(request);
    const call: ClientReadableStream<Message> = this.#client.makeServerStreamRequest(
      method.path,
      asItIs,
      method.responseDeserialize,
      body,
      authorized(method, body, options),
      {},
    );
    limitReadAhead(call, readAhead);
    const release = this.#follow(call, options);
    try {
      for await (const message of call as AsyncIterable<Message>) yield message;
    } catch (reason) {
      throw this.#errorOf(reason, options);
    } finally {
      release();
      // Without a listener the status of the cancelled call would count as an unhandled error.
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  duplex<Request, Message>(method: MethodDefinition<Request, Message>, options: CallOptions = {}): ClientDuplexStream<Request, Message> {
    this.#requireAlive(options);
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      authorized(method, undefined, options),
      {},
    );
    const release = this.#follow(call, options);
    call.once("status", release);
    return call;
  }

  /** The error of a failed call as its caller gets it. */
  errorOf(reason: unknown): FlareError {
    return this.#errorOf(reason, {});
  }

  async #send<Message>(messages: AsyncIterable<Message>, writer: BoundedWriter<Message>, answered: AbortSignal): Promise<void> {
    for await (const message of messages) {
      if (answered.aborted) return;
      await writer.write(message);
    }
  }

  #follow(call: Cancellable, { signal }: CallOptions): () => void {
    const cancel = (): void => call.cancel();
    this.#running.add(call);
    signal?.addEventListener("abort", cancel);
    return () => {
      this.#running.delete(call);
      if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
      signal?.removeEventListener("abort", cancel);
    };
  }

  #requireAlive({ signal }: CallOptions): void {
    if (signal?.aborted === true) throw FlareError.from(signal.reason);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #errorOf(reason: unknown, { signal }: CallOptions): FlareError {
    if (signal?.aborted === true) return FlareError.from(signal.reason);
    const error = fromWireStatus(reason, this.#peer);
    return error.code === "transfer/disconnected" && this.#failure !== undefined ? this.#failure : error;
  }
}

// What is proven of a message must be the very bytes that are sent.
function asItIs(body: Buffer): Buffer {
  return body;
}

function authorized<Request, Reply>(
  { path }: MethodDefinition<Request, Reply>,
  body: Uint8Array | undefined,
  { authorize }: CallOptions,
): Metadata {
  return authorize === undefined ? new Metadata() : authorize(path, body);
}

interface Cancellable {
  cancel(): void;
}

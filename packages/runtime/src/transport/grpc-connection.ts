import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import {
  type AdminEvent,
  type CommandReply,
  DownloadRequestSchema,
  EndRequestSchema,
  type JobEvent,
  ProbeRequestSchema,
  type RenewReply,
  type ServerMessage,
  type SignedCommand,
  type SiteMessage,
  StatRequestSchema,
  type SubmitUpdateReply,
  type SubmitUpdateRequest,
} from "@flare-ts/contracts/wire";
import { type Client, connectivityState, type MethodDefinition } from "@grpc/grpc-js";
import type { ProjectKeys } from "../session/project-keys.js";
import type { SessionTicket } from "../session/register-session.js";
import type { ObjectRef } from "../store/model-store.js";
import { BoundedWriter } from "./bounded-writer.js";
import { CallCredentials } from "./call-credentials.js";
import type { CallOptions, ClientCalls } from "./client-calls.js";
import type { Chunk, Connection, ObjectState, OutgoingStream, ReceiverMeans } from "./connection.js";
import { wireMethods } from "./wire-method.js";
import { formsFromWire, objectToWire } from "./wire-values.js";

export interface GrpcConnectionComponents {
  readonly client: Client;
  readonly calls: ClientCalls;
  /** Registers again, which renews the token; the call carries what is given, so that the session goes on. */
  readonly register: (authorize: CallOptions["authorize"]) => Promise<RegisteredTicket>;
  /** Asks for the next certificate on the same connection. */
  readonly renewCertificate: (csrPem: string, signal?: AbortSignal) => Promise<RenewReply>;
  /** Bytes that have come in so far. */
  readonly heardBytes: () => number;
}

/** A session with the keys that it was registered with. */
export interface RegisteredTicket extends SessionTicket {
  readonly keys: ProjectKeys;
}

export interface GrpcConnectionInit {
  readonly ticket: RegisteredTicket;
  /** Whether the session belongs to the network connection, and ends with it. */
  readonly isTied: boolean;
}

/**
 * A registered connection over gRPC. It ends with its control stream, its session, or its TCP connection; where a proxy
 * ends TLS, the last only while there is no control stream: a proxy may change connections under it.
 */
export class GrpcConnection implements Connection {
  readonly sessionId: string;
  readonly closed: Promise<string>;
  readonly #client: Client;
  readonly #calls: ClientCalls;
  readonly #register: GrpcConnectionComponents["register"];
  readonly #renewCertificate: GrpcConnectionComponents["renewCertificate"];
  readonly #heardBytes: () => number;
  #ticket: RegisteredTicket;
  readonly #credentials: CallCredentials;
  readonly #isPerCall: boolean;
  #isAttached = false;
  #isClosing = false;
  #resolveClosed: (reason: string) => void = () => undefined;
  #isOver = false;
  #renewal: NodeJS.Timeout | undefined;

  constructor(components: GrpcConnectionComponents, init: GrpcConnectionInit) {
    this.#client = components.client;
    this.#calls = components.calls;
    this.#register = components.register;
    this.sessionId = init.ticket.sessionId;
    this.#renewCertificate = components.renewCertificate;
    this.#heardBytes = components.heardBytes;
    this.#ticket = init.ticket;
    this.#credentials = new CallCredentials(init);
    this.#isPerCall = !init.isTied;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#renewAfter(init.ticket.renewInMs);
    this.#watchChannel();
  }

  get serverChainPem(): string {
    return this.#ticket.serverChainPem;
  }

  get keys(): ProjectKeys {
    return this.#ticket.keys;
  }

  get shouldRenew(): boolean {
    return this.#ticket.shouldRenew;
  }

  get inlineBytes(): number {
    return this.#ticket.inlineBytes;
  }

  heardBytes(): number {
    return this.#heardBytes();
  }

  attach(onMessage: (message: ServerMessage) => void): OutgoingStream<SiteMessage> {
    const call = this.#calls.duplex(wireMethods.attach, this.#options());
    this.#isAttached = true;
    const writer = new BoundedWriter<SiteMessage>(call, { maxPending: controlMessagesUnderWay });
    const over = (reason: FlareError): void => {
      writer.fail(reason);
      this.#over(reason.message);
    };
    call.on("data", (message: ServerMessage) => {
      try {
        if (!this.#isOver) onMessage(message);
      } catch (reason) {
        over(FlareError.from(reason));
      }
    });
    call.once("end", () => over(new FlareError("transfer/disconnected", `${this.#calls.peer} ended the control stream.`)));
    call.on("error", (reason) => over(this.#calls.errorOf(reason)));
    return {
      write: async (message) => writer.write(message),
      end: () => void call.end(),
    };
  }

  async submitUpdate(request: SubmitUpdateRequest, signal?: AbortSignal): Promise<SubmitUpdateReply> {
    return await this.#noting(this.#calls.unary(wireMethods.submitUpdate, request, this.#options(signal)));
  }

  async stat(object: ObjectRef, signal?: AbortSignal, base?: ObjectRef): Promise<ObjectState> {
    const request = create(StatRequestSchema, {
      object: objectToWire(object),
      ...(base === undefined ? {} : { base: objectToWire(base) }),
    });
    const { isComplete, durableOffset, forms, isBaseHeld } = await this.#noting(
      this.#calls.unary(wireMethods.stat, request, this.#options(signal)),
    );
    return { isComplete, durableOffset: Number(durableOffset), forms: formsFromWire(forms), isBaseHeld };
  }

  async upload(
    chunks: AsyncIterable<Chunk>,
    signal?: AbortSignal,
  ): Promise<{ readonly isComplete: boolean; readonly durableOffset: number }> {
    const reply = await this.#noting(this.#sendChunks(wireMethods.upload, chunks, signal));
    return { isComplete: reply.isComplete, durableOffset: Number(reply.durableOffset) };
  }

  async *download(
    object: ObjectRef,
    offset: number,
    signal?: AbortSignal,
    { forms, base }: ReceiverMeans = { forms: [] },
  ): AsyncGenerator<Chunk, void, undefined> {
    const request = create(DownloadRequestSchema, {
      object: objectToWire(object),
      offset: BigInt(offset),
      forms: [...forms],
      ...(base === undefined ? {} : { base: objectToWire(base) }),
    });
    yield* this.#notingAll(this.#calls.receiveStream(wireMethods.download, request, chunksReadAhead, this.#options(signal)));
  }

  async probeUp(chunks: AsyncIterable<Chunk>, signal?: AbortSignal): Promise<number> {
    return Number((await this.#noting(this.#sendChunks(wireMethods.probeUp, chunks, signal))).bytes);
  }

  async *probeDown(bytes: number, signal?: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const request = create(ProbeRequestSchema, { bytes: BigInt(bytes) });
    yield* this.#notingAll(this.#calls.receiveStream(wireMethods.probeDown, request, chunksReadAhead, this.#options(signal)));
  }

  async execute(command: SignedCommand, signal?: AbortSignal): Promise<CommandReply> {
    return await this.#noting(this.#calls.unary(wireMethods.execute, command, this.#options(signal)));
  }

  async *watch(command: SignedCommand, signal?: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
    yield* this.#notingAll(this.#calls.receiveStream(wireMethods.watch, command, controlMessagesUnderWay, this.#options(signal)));
  }

  async *follow(command: SignedCommand, signal?: AbortSignal): AsyncGenerator<AdminEvent, void, undefined> {
    yield* this.#notingAll(this.#calls.receiveStream(wireMethods.follow, command, controlMessagesUnderWay, this.#options(signal)));
  }

  async renewCertificate(csrPem: string, signal?: AbortSignal): Promise<RenewReply> {
    return await this.#noting(this.#renewCertificate(csrPem, signal));
  }

  async registerAgain(): Promise<void> {
    clearTimeout(this.#renewal);
    await this.#renew();
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const leave = (): void => this.#over("closed by this side");
    // A session that is tied to nothing that closes is ended by a word; a site's ends with its control stream.
    if (this.#isPerCall && !this.#isAttached) this.#sayEnd().then(leave, leave);
    else leave();
  }

  async #sayEnd(): Promise<void> {
    await this.#calls.unary(wireMethods.end, create(EndRequestSchema), { ...this.#options(), deadlineMs: endMs });
  }

  #sendChunks<Reply>(
    method: MethodDefinition<Chunk, Reply>,
    chunks: AsyncIterable<Chunk>,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    return this.#calls.sendStream(method, chunks, { maxPending: chunksUnderWay, options: this.#options(signal) });
  }

  #options(signal?: AbortSignal): CallOptions {
    return { authorize: this.#credentials.metadataOf, signal };
  }

  #over(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#renewal);
    this.#calls.endAll(
      new FlareError("transfer/disconnected", `The connection to ${this.#calls.peer} is over: ${reason}`, { facts: { reason } }),
    );
    this.#client.close();
    this.#resolveClosed(reason);
  }

  async #lost(): Promise<void> {
    const reason = "the network connection was lost";
    this.#calls.refuseNew(new FlareError("transfer/disconnected", `The connection to ${this.#calls.peer} is over: ${reason}`));
    // Calls under way end by themselves, and may know better why.
    await this.#calls.idle();
    this.#over(reason);
  }

  // A lost connection makes the channel leave READY at once; grpc-js would quietly make another. On that one the token is
  // worth nothing, unless a proxy ends TLS: then the control stream tells whether the session lives.
  #watchChannel(): void {
    const channel = this.#client.getChannel();
    const check = (): void => {
      if (this.#isOver) return;
      const state = channel.getConnectivityState(false);
      if (state !== connectivityState.READY && !this.#outlivesConnections()) void this.#lost();
      else channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, check);
    };
    check();
  }

  #outlivesConnections(): boolean {
    return this.#isPerCall && this.#isAttached;
  }

  #renewAfter(delayMs: number): void {
    this.#renewal = setTimeout(() => void this.#renew(), delayMs);
    this.#renewal.unref();
  }

  async #renew(): Promise<void> {
    try {
      const ticket = await this.#register(this.#credentials.metadataOf);
      if (this.#isOver) return;
      this.#ticket = ticket;
      this.#credentials.renew(ticket);
      clearTimeout(this.#renewal);
      this.#renewAfter(ticket.renewInMs);
    } catch (reason) {
      const error = FlareError.from(reason);
      if (this.#isOver) return;
      // The next certificate may be on its way, and registers again when it comes. Until then it is the server that ends a session.
      if (error.code === "auth/certificate-expired") return;
      const isGone = error.code === "transfer/disconnected" && !this.#outlivesConnections();
      if (error.row.isRetryable && !isGone && !endsSession.has(error.code)) this.#renewAfter(retryRenewalMs);
      else this.#over(`the session could not be renewed: ${error.message}`);
    }
  }

  async #noting<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (reason) {
      this.#note(reason);
      throw reason;
    }
  }

  async *#notingAll<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message, void, undefined> {
    try {
      yield* messages;
    } catch (reason) {
      this.#note(reason);
      throw reason;
    }
  }

  // The session is gone although the connection stands: nothing more can come of it.
  #note(reason: unknown): void {
    if (reason instanceof FlareError && endsSession.has(reason.code)) this.#over(reason.message);
  }
}

const controlMessagesUnderWay = 64;
/** Chunks of 1 MiB on their way to the socket, for each upload. */
const chunksUnderWay = 4;
/** Chunks of 1 MiB that are read ahead of the consumer, for each download. */
const chunksReadAhead = 2;
const retryRenewalMs = 5_000;
/** How long a farewell may take. */
const endMs = 1_000;
const endsSession = new Set<string>([
  "auth/session-ended",
  "auth/token-unknown",
  "auth/token-expired",
  "auth/token-not-yours",
  "auth/not-allowed",
  "auth/certificate-revoked",
]);

import type { ContentHash } from "@flare-ts/contracts";
import type {
  AdminEvent,
  CommandReply,
  JobEvent,
  RenewReply,
  ServerMessage,
  SignedCommand,
  SiteMessage,
  SubmitUpdateReply,
  SubmitUpdateRequest,
} from "@flare-ts/contracts/wire";
import type { ProvenRenewal } from "../identity/renewal-desk.js";
import type { Identity } from "../session/identity.js";
import type { ProjectKeys } from "../session/project-keys.js";
import type { ObjectRef } from "../store/model-store.js";

/** A piece of an object on its way. The first of an upload names the object, and the base of a stream with copies. */
export interface Chunk {
  readonly object?: ObjectRef;
  /** The object that pieces of the form `copy` copy from; in the first chunk only. */
  readonly base?: ContentHash;
  readonly offset: number;
  readonly data: Buffer;
  /** How the piece is given, where `data` is not simply its bytes. */
  readonly packed?: PackedPiece;
  /** Who has used `data` up may say so, once, and look at it no more: its memory then serves again without a collection. */
  readonly release?: (() => void) | undefined;
}

/** A form of a piece that a receiver may be able to read besides plain data. */
export type ChunkForm = "zeros" | "copy" | "zstd";

/** `length` bytes of the object: zeros, or bytes of the base from `from` on, or what `data` holds compressed. */
export type PackedPiece =
  | { readonly form: "zeros"; readonly length: number }
  | { readonly form: "zstd"; readonly length: number }
  | { readonly form: "copy"; readonly length: number; readonly from: number };

/** What the receiver of a stream of chunks can make use of. */
export interface ReceiverMeans {
  readonly forms: readonly ChunkForm[];
  /** An object that it holds. */
  readonly base?: ObjectRef | undefined;
}

/** How far an object is at the server, and what the server can make use of. */
export interface ObjectState {
  readonly isComplete: boolean;
  readonly durableOffset: number;
  readonly forms?: readonly ChunkForm[];
  /** Whether the server holds the base that was asked about, for this participant. */
  readonly isBaseHeld?: boolean;
}

/** A stream that one side writes to; `write` resolves when more can be taken. */
export interface OutgoingStream<Message> {
  write(message: Message): Promise<void>;
  end(): void;
}

/**
 * A registered connection of a site or an admin to the server. It never reconnects by itself: when `closed` resolves it is
 * over, and a new one is dialled. Calls on a dead connection fail with `transfer/disconnected`, which is retryable.
 */
export interface Connection {
  readonly sessionId: string;
  /** The server's certificate as it was proven at registration, with those that stand between it and a root; PEM. */
  readonly serverChainPem: string;
  /** The keys that the session was registered with last: those that its commands are signed with. */
  readonly keys: ProjectKeys;
  /** Whether the server has said that another certificate can be had. */
  readonly shouldRenew: boolean;
  /** Largest update that the server takes with `submitUpdate` itself; anything else is uploaded before. */
  readonly inlineBytes: number;
  /** Resolves with the reason once the connection is over, never rejects. */
  readonly closed: Promise<string>;
  /** A number that grows with whatever comes in: the server lives, though a message of it may be stuck behind a large object. */
  heardBytes(): number;
  attach(onMessage: (message: ServerMessage) => void): OutgoingStream<SiteMessage>;
  submitUpdate(request: SubmitUpdateRequest, signal?: AbortSignal): Promise<SubmitUpdateReply>;
  /** @param base - an object that the upload would like to copy from */
  stat(object: ObjectRef, signal?: AbortSignal, base?: ObjectRef): Promise<ObjectState>;
  /** Sends chunks; resolves with the server's reply when it has everything durable and verified. */
  upload(chunks: AsyncIterable<Chunk>, signal?: AbortSignal): Promise<{ readonly isComplete: boolean; readonly durableOffset: number }>;
  /** @param means - what this side can make use of besides plain data. @default nothing */
  download(object: ObjectRef, offset: number, signal?: AbortSignal, means?: ReceiverMeans): AsyncIterable<Chunk>;
  /** Sends chunks that the server throws away; resolves with how many bytes arrived. */
  probeUp(chunks: AsyncIterable<Chunk>, signal?: AbortSignal): Promise<number>;
  /** Chunks of zeros from the server, so many bytes in all. */
  probeDown(bytes: number, signal?: AbortSignal): AsyncIterable<Chunk>;
  execute(command: SignedCommand, signal?: AbortSignal): Promise<CommandReply>;
  watch(command: SignedCommand, signal?: AbortSignal): AsyncIterable<JobEvent>;
  follow(command: SignedCommand, signal?: AbortSignal): AsyncIterable<AdminEvent>;
  /** Asks for the certificate that follows the participant's own, for the key of a request (PKCS #10, PEM). */
  renewCertificate(csrPem: string, signal?: AbortSignal): Promise<RenewReply>;
  /** Registers again with the keys in force; the session and everything on the connection goes on. */
  registerAgain(): Promise<void>;
  close(): void;
}

/** What a call's handler knows of its caller. */
export interface CallContext {
  readonly identity: Identity;
  readonly sessionId: string;
  /** The relay that it comes by. */
  readonly relay?: string | undefined;
  /** Aborts when the call is cancelled or its connection ends. */
  readonly signal: AbortSignal;
}

/** What the server side of the transport asks of the server; one method per call of the wire protocol. */
export interface ServerHandlers {
  /**
   * The site's control stream is open. `send` resolves when more can be taken; the returned object hears of what comes, and
   * of the next message when it is done with this one.
   */
  attach(
    context: CallContext,
    send: (message: ServerMessage) => Promise<void>,
  ): { onMessage(message: SiteMessage): void | Promise<void>; onClose(reason: string): void };
  submitUpdate(context: CallContext, request: SubmitUpdateRequest): Promise<SubmitUpdateReply>;
  stat(context: CallContext, object: ObjectRef, base?: ObjectRef): Promise<ObjectState>;
  upload(
    context: CallContext,
    object: ObjectRef,
    chunks: AsyncIterable<Chunk>,
  ): Promise<{ readonly isComplete: boolean; readonly durableOffset: number }>;
  download(context: CallContext, object: ObjectRef, offset: number, means: ReceiverMeans): AsyncIterable<Chunk>;
  execute(context: CallContext, command: SignedCommand): Promise<CommandReply>;
  watch(context: CallContext, command: SignedCommand): AsyncIterable<JobEvent>;
  follow(context: CallContext, command: SignedCommand): AsyncIterable<AdminEvent>;
  /** Somebody has proven to own a certificate, and wants the next one. */
  renew(proven: ProvenRenewal): Promise<RenewReply>;
}

/** The server side of the transport: one port, every call authenticated. */
export interface ServerTransport {
  /** Binds the port and resolves with the one in use (which matters for port 0). */
  start(): Promise<number>;
  /** Shows the certificate in force, and goes by the roots in force, in handshakes from now on; connections that stand go on. */
  renewTls(): void;
  /** A number that grows with whatever comes in from a session: its participant lives, though a message of it may be stuck. */
  heardOf(sessionId: string): number;
  /** Ends the session of a participant and closes its connection. */
  disconnect(sessionId: string, reason: string): void;
  /** Stops taking calls, waits for those in progress up to `deadlineMs`, then cuts them. */
  stop(deadlineMs: number): Promise<void>;
}

/** Decides which objects a session may read and write; a hash alone opens nothing. */
export interface TransferGuard {
  mayRead(identity: Identity, hash: ContentHash): Promise<boolean>;
  mayWrite(identity: Identity, object: ObjectRef): Promise<boolean>;
}

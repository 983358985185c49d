import { create } from "@bufbuild/protobuf";
import { type ConnectionSecurity, FlareError, isContentHash, limits } from "@flare-ts/contracts";
import {
  EndReplySchema,
  ProbeReplySchema,
  StatReplySchema,
  UploadReplySchema,
  type ObjectRef as WireObjectRef,
} from "@flare-ts/contracts/wire";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "../logging/logger.js";
import type { Authenticator } from "../session/authenticator.js";
import type { ProjectKeys } from "../session/project-keys.js";
import type { ObjectRef } from "../store/model-store.js";
import { ChunkShares } from "./chunk-shares.js";
import type { ServerHandlers, ServerTransport } from "./connection.js";
import { endsAtServer, refuseClearText } from "./connection-security.js";
import { type Http2Listener, http2ServersOf, messageOptions, minVersion, withServerOptions } from "./flow-control.js";
import { guardHandshakes } from "./guard-handshakes.js";
import { countProbe, probeChunks } from "./probe-chunks.js";
import { quietGrpc } from "./quiet-grpc.js";
import { refusalOfCertificate } from "./refuse-certificate.js";
import { RequestBodies } from "./request-bodies.js";
import { reuseMessageMemory } from "./reuse-message-memory.js";
import { answerAttach, answerDownload, answerPlain, answerUnary, answerUpload, answerWatch } from "./server-answers.js";
import { ServerCalls } from "./server-calls.js";
import { ServerConnections } from "./server-connections.js";
import { wireMethods } from "./wire-method.js";
import { formsFromWire } from "./wire-values.js";

export interface GrpcServerTransportComponents {
  readonly handlers: ServerHandlers;
  readonly authenticator: Authenticator;
  readonly logger?: Logger;
}

export interface GrpcServerTransportInit {
  /** Address to listen on, such as `0.0.0.0`. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly keys: ProjectKeys;
  /** Those that handshakes show. @default `keys` */
  readonly handshakeKeys?: () => ProjectKeys;
  /** How long after its end a certificate is let through TLS, to be renewed and for nothing else. @default 0 */
  readonly renewalGraceMs?: number;
  /** HTTP/2 window of each stream, and of a connection with one of a few uploads. @default limits.http2WindowBytes */
  readonly windowBytes?: number;
  /** @default "mtls" */
  readonly connectionSecurity?: ConnectionSecurity;
  /** Whether clear text may come from other machines. @default false */
  readonly isClearAllowed?: boolean | undefined;
  /** How often sessions without calls are looked for, where they do not end with their connection. @default limits.heartbeatMs */
  readonly idleCheckMs?: number;
  /** A stream of chunks whose other end does not move for so long is broken off. @default limits.stallMs */
  readonly stallMs?: number;
}

/**
 * The wire protocol over gRPC. Over mutual TLS only certificates of the project get as far as a call; behind a proxy that
 * ends TLS anybody may ask, and every call proves itself.
 */
export class GrpcServerTransport implements ServerTransport {
  readonly #handlers: ServerHandlers;
  readonly #authenticator: Authenticator;
  readonly #logger: Logger | undefined;
  readonly #init: GrpcServerTransportInit;
  readonly #windowBytes: number;
  readonly #connections: ServerConnections;
  readonly #calls: ServerCalls;
  readonly #server: Server;
  readonly #security: ConnectionSecurity;
  readonly #bodies = new RequestBodies();
  #idleCheck: NodeJS.Timeout | undefined;

  constructor(components: GrpcServerTransportComponents, init: GrpcServerTransportInit) {
    const { authenticator } = components;
    this.#handlers = components.handlers;
    this.#authenticator = authenticator;
    this.#logger = components.logger;
    this.#init = init;
    this.#security = init.connectionSecurity ?? "mtls";
    this.#windowBytes = init.windowBytes ?? limits.http2WindowBytes;
    this.#connections = new ServerConnections(
      {
        onClosed: (connectionId) => authenticator.connectionClosed(connectionId),
        onTlsRefused: (address, reason) => authenticator.refusedInTls(address, reason),
      },
      { windowBytes: this.#windowBytes },
    );
    this.#calls = new ServerCalls(
      { authenticator, connections: this.#connections, bodies: this.#bodies },
      { isBehindProxy: !endsAtServer(this.#security) },
    );
    this.#server = new Server({
      ...messageOptions(this.#windowBytes, limits.controlMessageBytes),
      "grpc-node.flow_control_window": this.#windowBytes,
      "grpc.enable_channelz": 0,
    });
  }

  /** @throws FlareError `transfer/cannot-listen`, `transfer/clear-refused`, `auth/certificate-unreadable` */
  async start(): Promise<number> {
    const { host, port, isClearAllowed = false, idleCheckMs = limits.heartbeatMs } = this.#init;
    refuseClearText("listening on", host, { security: this.#security, isClearAllowed });
    quietGrpc();
    reuseMessageMemory();
    this.#addCalls();
    if (!endsAtServer(this.#security)) this.#idleCheck = setInterval(() => this.#endSilent(), idleCheckMs).unref();
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, this.#credentials(), (error, bound) => {
        if (error !== null) {
          // The system's reason, without the library's count of addresses around it.
          const reason = /\[(?:listen )?([^\]]+)\]$/.exec(error.message)?.[1] ?? error.message;
          reject(
            new FlareError("transfer/cannot-listen", `The server cannot listen on ${address}: ${reason}`, {
              facts: { address },
              cause: error,
            }),
          );
          return;
        }
        for (const listener of http2ServersOf(this.#server)) {
          if (this.#security === "clear") listener.updateSettings({ initialWindowSize: this.#windowBytes });
          if (endsAtServer(this.#security)) this.#guard(listener);
          this.#connections.follow(listener);
        }
        resolve(bound);
      });
    });
  }

  renewTls(): void {
    if (this.#security === "clear") return;
    const { keys, handshakeKeys = () => keys } = this.#init;
    const { certificatePem, privateKeyPem, trust } = handshakeKeys();
    for (const listener of http2ServersOf(this.#server)) {
      listener.setSecureContext({ cert: certificatePem, key: privateKeyPem, ca: trust.rootBundlePem, minVersion });
    }
  }

  heardOf(sessionId: string): number {
    const session = this.#authenticator.session(sessionId);
    if (session === undefined) return 0;
    // Behind a proxy the connection carries the calls of others too.
    return endsAtServer(this.#security) ? this.#connections.heardBytes(session.connection.id) : session.lastSeenMs;
  }

  disconnect(sessionId: string, reason: string): void {
    const session = this.#authenticator.session(sessionId);
    if (session === undefined) return;
    this.#authenticator.end(sessionId, reason);
    this.#cut(sessionId, session.connection.id, reason);
  }

  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#idleCheck);
    const reason = new FlareError("transfer/server-stopping", "The server is shutting down.");
    // Not what the library says: it waits for ever for a session that is just ending for what its peer has sent.
    const closed = Promise.all(http2ServersOf(this.#server).map((listener) => new Promise<void>((over) => listener.once("close", over))));
    this.#server.tryShutdown(() => undefined);
    this.#calls.refuseNew(reason);
    await within(deadlineMs, Promise.all([this.#calls.idle(), closed]));
    this.#calls.endAll(reason);
    this.#server.forceShutdown();
    this.#connections.destroyAll();
    await closed;
  }

  #cut(sessionId: string, connectionId: string, reason: string): void {
    this.#calls.endSession(sessionId, new FlareError("auth/session-ended", `The server ended the session: ${reason}`));
    // Behind a proxy the connection carries the calls of others too.
    if (endsAtServer(this.#security)) this.#connections.close(connectionId);
  }

  #guard(listener: Http2Listener): void {
    const { keys, renewalGraceMs: allowExpiredMs } = this.#init;
    const refuseExpired = (chainPem: string): string | undefined =>
      refusalOfCertificate(chainPem, { trust: keys.trust, nowMs: Date.now(), allowExpiredMs });
    guardHandshakes(listener, { refuseExpired }, (address, reason) => this.#authenticator.refusedInTls(address, reason));
  }

  #endSilent(): void {
    for (const { id } of this.#authenticator.silentSessions()) if (!this.#calls.hasCalls(id)) this.disconnect(id, "silent for too long");
  }

  // A session that is tied to no connection ends with its control stream.
  #attach: ServerHandlers["attach"] = (context, send) => {
    if (endsAtServer(this.#security)) return this.#handlers.attach(context, send);
    try {
      const listener = this.#handlers.attach(context, send);
      return {
        onMessage: (message) => listener.onMessage(message),
        onClose: (reason) => {
          listener.onClose(reason);
          this.disconnect(context.sessionId, reason);
        },
      };
    } catch (error) {
      this.disconnect(context.sessionId, "its control stream was refused");
      throw error;
    }
  };

  #credentials(): ServerCredentials {
    if (this.#security === "clear") return ServerCredentials.createInsecure();
    const { certificatePem, privateKeyPem, trust } = this.#init.keys;
    const pairs = [{ cert_chain: Buffer.from(certificatePem), private_key: Buffer.from(privateKeyPem) }];
    try {
      const roots = Buffer.from(trust.rootBundlePem);
      return withServerOptions(ServerCredentials.createSsl(roots, pairs, endsAtServer(this.#security)), this.#windowBytes);
    } catch (error) {
      throw new FlareError("auth/certificate-unreadable", "The server's certificate or key cannot be used for TLS.", { cause: error });
    }
  }

  #methods(): typeof wireMethods {
    const bodies = this.#bodies;
    return {
      ...wireMethods,
      register: bodies.remember(wireMethods.register),
      end: bodies.remember(wireMethods.end),
      submitUpdate: bodies.remember(wireMethods.submitUpdate),
      stat: bodies.remember(wireMethods.stat),
      download: bodies.remember(wireMethods.download),
      probeDown: bodies.remember(wireMethods.probeDown),
      execute: bodies.remember(wireMethods.execute),
      watch: bodies.remember(wireMethods.watch),
      follow: bodies.remember(wireMethods.follow),
    };
  }

  #addCalls(): void {
    const handlers = this.#handlers;
    const { stallMs = limits.stallMs } = this.#init;
    const uploadBegins = (address: string): (() => void) => this.#connections.uploadBegins(address);
    const parts = { calls: this.#calls, logger: this.#logger, stallMs, uploadBegins, outgoing: new ChunkShares() };
    const site = ["client"] as const;
    const admin = ["admin"] as const;
    const anyone = ["client", "admin"] as const;
    const attached = ["client", "relay"] as const;
    this.#server.addService(this.#methods(), {
      challenge: answerPlain(parts, (request, connection) => this.#authenticator.challenge(request, connection)),
      register: answerPlain(parts, (request, connection, claim) => {
        const { reply, superseded } = this.#authenticator.register(request, connection, claim);
        if (superseded !== undefined) this.#cut(superseded.id, superseded.connection.id, "a newer connection took its place");
        return reply;
      }),
      renew: answerPlain(parts, (request, connection) => handlers.renew(this.#authenticator.proveRenewal(request, connection))),
      end: answerUnary(parts, anyone, async ({ sessionId }) => {
        // When this call is answered, so that only the others are cut.
        setImmediate(() => this.disconnect(sessionId, "ended by the participant"));
        return create(EndReplySchema);
      }),
      attach: answerAttach(parts, attached, { attach: this.#attach }),
      submitUpdate: answerUnary(parts, site, async (context, request) => handlers.submitUpdate(context, request)),
      stat: answerUnary(parts, anyone, async (context, { object, base }) => {
        const state = await handlers.stat(context, refOf(object), base === undefined ? undefined : refOf(base));
        const { isComplete, durableOffset, forms = [], isBaseHeld = false } = state;
        return create(StatReplySchema, { isComplete, durableOffset: BigInt(durableOffset), forms: [...forms], isBaseHeld });
      }),
      upload: answerUpload(parts, anyone, async (context, object, chunks) => {
        const { isComplete, durableOffset } = await handlers.upload(context, object, chunks);
        return create(UploadReplySchema, { isComplete, durableOffset: BigInt(durableOffset) });
      }),
      download: answerDownload(parts, anyone, (context, { object, offset, forms, base }) =>
        handlers.download(context, refOf(object), Number(offset), {
          forms: formsFromWire(forms),
          base: base === undefined ? undefined : refOf(base),
        }),
      ),
      probeUp: answerUpload(parts, anyone, async (_context, _object, chunks) =>
        create(ProbeReplySchema, { bytes: BigInt(await countProbe(chunks)) }),
      ),
      probeDown: answerDownload(parts, anyone, (_context, { bytes }) => probeChunks(Number(bytes))),
      execute: answerUnary(parts, admin, async (context, command) => handlers.execute(context, command)),
      watch: answerWatch(parts, admin, (context, command) => handlers.watch(context, command)),
      follow: answerWatch(parts, admin, (context, command) => handlers.follow(context, command)),
    });
  }
}

function refOf(object: WireObjectRef | undefined): ObjectRef {
  if (object === undefined || !isContentHash(object.hash)) throw new FlareError("transfer/protocol", "The call names no object.");
  return { hash: object.hash, size: Number(object.size) };
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}

import { FlareError } from "@flare-ts/contracts";
import type { Metadata } from "@grpc/grpc-js";
import type { Authenticator, TokenCall } from "../session/authenticator.js";
import type { PeerConnection } from "../session/connection-binding.js";
import type { ParticipantKind } from "../session/identity.js";
import { capPeerText } from "../session/peer-text.js";
import type { CallContext } from "./connection.js";
import { proofKey } from "./proof-key.js";
import type { RequestBodies } from "./request-bodies.js";
import { resetCall } from "./reset-call.js";
import type { ServerConnections } from "./server-connections.js";
import { tokenKey } from "./token-key.js";

export interface ServerCallsComponents {
  readonly authenticator: Authenticator;
  readonly connections: ServerConnections;
  readonly bodies: RequestBodies;
}

export interface ServerCallsInit {
  /** Whether a proxy may stand in front, which says whom it speaks for. */
  readonly isBehindProxy: boolean;
}

/** What all calls of grpc-js have in common. */
export interface AnyCall {
  readonly metadata: Metadata;
  /** The request of a call that has a single one. */
  readonly request?: unknown;
  getPeer(): string;
  getPath(): string;
  on(event: "cancelled", listener: () => void): unknown;
}

/** A call that is authenticated and under way. */
export interface OpenCall {
  readonly context: CallContext;
  /** Notes that something was heard of the caller. */
  readonly touch: () => void;
  /** Breaks the call off: it fails with this error, or within half a second without a word where its caller takes nothing any more. */
  readonly cut: (reason: FlareError) => void;
  /** The call is answered, and its handler has nothing more to do. */
  readonly end: () => void;
}

/** The calls under way: each authenticated, each ended with its session, its connection or the server. */
export class ServerCalls {
  readonly #authenticator: Authenticator;
  readonly #connections: ServerConnections;
  readonly #bodies: RequestBodies;
  readonly #isBehindProxy: boolean;
  readonly #open = new Set<Running>();
  readonly #idle: (() => void)[] = [];
  #refusal: FlareError | undefined;

  constructor(components: ServerCallsComponents, init: ServerCallsInit) {
    this.#authenticator = components.authenticator;
    this.#connections = components.connections;
    this.#bodies = components.bodies;
    this.#isBehindProxy = init.isBehindProxy;
  }

  /** The connection that a call came on. @throws FlareError `transfer/disconnected` when it is closed by now */
  connectionOf(call: AnyCall): PeerConnection {
    const connection = this.#connections.of(call.getPeer());
    if (!this.#isBehindProxy) return connection;
    const claimed = textOf(call.metadata, forwardedKey);
    return claimed !== undefined ? { ...connection, claimedAddress: capPeerText(claimed) } : connection;
  }

  /** What a call carries to say whose it is. */
  claimOf(call: AnyCall): TokenCall {
    const { metadata, request } = call;
    const body = typeof request === "object" && request !== null ? this.#bodies.of(request) : undefined;
    return {
      token: (textOf(metadata, tokenKey) ?? "").replace(/^Bearer /, ""),
      method: call.getPath(),
      body,
      proof: textOf(metadata, proofKey),
    };
  }

  /**
   * Authenticates a call and follows it.
   *
   * @param isEndless whether the call goes on until somebody ends it, so that a stopping server need not wait for it
   * @throws FlareError `auth/…`, `transfer/server-stopping`
   */
  begin(call: AnyCall, kinds: readonly ParticipantKind[], isEndless = false): OpenCall {
    if (this.#refusal !== undefined) throw this.#refusal;
    const claim = this.claimOf(call);
    const session = this.#authenticator.authenticate(claim.token, this.connectionOf(call), kinds, claim);
    const abort = new AbortController();
    const running = { sessionId: session.id, isEndless, abort, call };
    this.#open.add(running);
    call.on("cancelled", () =>
      abort.abort(new FlareError("transfer/disconnected", "The caller cancelled the call, or its connection ended.")),
    );
    return {
      context: { identity: session.identity, sessionId: session.id, relay: session.connection.relay?.name, signal: abort.signal },
      touch: () => this.#authenticator.touch(session.id),
      cut: (reason) => this.#cut(running, reason),
      end: () => this.#ended(running),
    };
  }

  /** Ends every call of a session: what is written still goes out, but for no longer than half a second. */
  endSession(sessionId: string, reason: FlareError): void {
    for (const running of this.#open) {
      if (running.sessionId === sessionId) this.#cut(running, reason);
    }
  }

  hasCalls(sessionId: string): boolean {
    for (const running of this.#open) if (running.sessionId === sessionId) return true;
    return false;
  }

  /** Refuses every new call with the reason, and ends those that would go on for ever. */
  refuseNew(reason: FlareError): void {
    this.#refusal = reason;
    for (const running of this.#open) if (running.isEndless) running.abort.abort(reason);
  }

  /** Ends every call. */
  endAll(reason: FlareError): void {
    for (const running of this.#open) running.abort.abort(reason);
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  // What lies in the windows of a caller that does not read would stay in memory, and the status behind it never get through.
  #cut(running: Running, reason: FlareError): void {
    running.abort.abort(reason);
    setTimeout(() => resetCall(running.call), flushMs).unref();
  }

  #ended(running: Running): void {
    this.#open.delete(running);
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

interface Running {
  readonly sessionId: string;
  readonly isEndless: boolean;
  readonly abort: AbortController;
  readonly call: AnyCall;
}

const flushMs = 500;
/** What proxies say of whom they speak for; anybody can write it. */
const forwardedKey = "x-forwarded-for";

function textOf(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === "string" ? value : undefined;
}

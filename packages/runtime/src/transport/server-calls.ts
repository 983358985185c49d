import { FlareError } from "@flare-ts/contracts";
import type { Metadata } from "@grpc/grpc-js";
import type { Authenticator } from "../session/authenticator.js";
import type { ParticipantKind } from "../session/identity.js";
import type { CallContext } from "./connection.js";
import type { ServerConnections } from "./server-connections.js";
import { tokenKey } from "./token-key.js";

export interface ServerCallsComponents {
  readonly authenticator: Authenticator;
  readonly connections: ServerConnections;
}

/** What all calls of grpc-js have in common. */
export interface AnyCall {
  readonly metadata: Metadata;
  getPeer(): string;
  on(event: "cancelled", listener: () => void): unknown;
}

/** A call that is authenticated and under way. */
export interface OpenCall {
  readonly context: CallContext;
  /** Notes that something was heard of the caller. */
  readonly touch: () => void;
  /** The call is answered, and its handler has nothing more to do. */
  readonly end: () => void;
}

/** The calls under way: each authenticated, each ended with its session, its connection or the server. */
export class ServerCalls {
  readonly #authenticator: Authenticator;
  readonly #connections: ServerConnections;
  readonly #open = new Set<Running>();
  readonly #idle: (() => void)[] = [];
  #refusal: FlareError | undefined;

  constructor(components: ServerCallsComponents) {
    this.#authenticator = components.authenticator;
    this.#connections = components.connections;
  }

  /**
   * Authenticates a call and follows it.
   *
   * @param isEndless whether the call goes on until somebody ends it, so that a stopping server need not wait for it
   * @throws FlareError `auth/…`, `transfer/server-stopping`
   */
  begin(call: AnyCall, kinds: readonly ParticipantKind[], isEndless = false): OpenCall {
    if (this.#refusal !== undefined) throw this.#refusal;
    const session = this.#authenticator.authenticate(tokenOf(call.metadata), this.#connections.of(call.getPeer()), kinds);
    const abort = new AbortController();
    const running = { sessionId: session.id, isEndless, abort };
    this.#open.add(running);
    call.on("cancelled", () =>
      abort.abort(new FlareError("transfer/disconnected", "The caller cancelled the call, or its connection ended.")),
    );
    return {
      context: { identity: session.identity, sessionId: session.id, signal: abort.signal },
      touch: () => this.#authenticator.touch(session.id),
      end: () => this.#ended(running),
    };
  }

  endSession(sessionId: string, reason: FlareError): void {
    for (const running of this.#open) if (running.sessionId === sessionId) running.abort.abort(reason);
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

  #ended(running: Running): void {
    this.#open.delete(running);
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

interface Running {
  readonly sessionId: string;
  readonly isEndless: boolean;
  readonly abort: AbortController;
}

function tokenOf(metadata: Metadata): string {
  const [value] = metadata.get(tokenKey);
  return typeof value === "string" ? value.replace(/^Bearer /, "") : "";
}

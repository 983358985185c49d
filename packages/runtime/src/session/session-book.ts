import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { PeerConnection } from "./connection-binding.js";
import type { Identity } from "./identity.js";

/** A registered participant on one connection. */
export interface Session {
  readonly id: string;
  readonly identity: Identity;
  readonly connection: PeerConnection;
  /** When something was last heard of it; milliseconds of the clock that the book is used with. */
  readonly lastSeenMs: number;
}

/** A token as its owner gets it; here only its hash is kept. */
export interface IssuedToken {
  readonly session: Session;
  readonly token: string;
}

/** Live sessions and the hashes of their tokens. */
export class SessionBook {
  readonly #sessions = new Map<string, OpenSession>();
  readonly #tokens = new Map<string, KnownToken>();

  /** Opens a session, or renews the one that the identity has on this connection: the old token then lives on to its own end. */
  issue(identity: Identity, connection: PeerConnection, nowMs: number, tokenMs: number): IssuedToken & { readonly isRenewal: boolean } {
    const known = this.find(identity.name).find((session) => session.connection.id === connection.id);
    const session: OpenSession = { id: known?.id ?? randomUUID(), identity, connection, lastSeenMs: nowMs };
    this.#sessions.set(session.id, session);
    this.#forgetExpired(nowMs);
    const token = randomBytes(32).toString("base64url");
    const digest = digestOf(token);
    const expiresAtMs = nowMs + tokenMs;
    this.#tokens.set(digest.toString("hex"), { digest, sessionId: session.id, expiresAtMs });
    return { session, token, isRenewal: known !== undefined };
  }

  /** @throws FlareError `auth/token-unknown`, `auth/token-expired` */
  byToken(token: string, nowMs: number): Session {
    // Looked up by hash: how long a comparison takes says nothing of the token.
    const digest = digestOf(token);
    const known = this.#tokens.get(digest.toString("hex"));
    const session = known === undefined ? undefined : this.#sessions.get(known.sessionId);
    if (known === undefined || session === undefined || !timingSafeEqual(known.digest, digest)) {
      throw new FlareError("auth/token-unknown", "The call carries no token of a live session.");
    }
    if (nowMs > known.expiresAtMs) {
      throw new FlareError("auth/token-expired", `The token of ${JSON.stringify(session.identity.name)} expired.`, {
        facts: { name: session.identity.name, lateMs: nowMs - known.expiresAtMs },
      });
    }
    return session;
  }

  get(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  /** Every live session. */
  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Live sessions of a name. */
  find(name: string): readonly Session[] {
    return [...this.#sessions.values()].filter((session) => session.identity.name === name);
  }

  onConnection(connectionId: string): readonly Session[] {
    return [...this.#sessions.values()].filter((session) => session.connection.id === connectionId);
  }

  touch(sessionId: string, nowMs: number): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) session.lastSeenMs = nowMs;
  }

  /** Ends a session; its tokens die with it. */
  end(sessionId: string): Session | undefined {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    for (const [key, token] of this.#tokens) if (token.sessionId === sessionId) this.#tokens.delete(key);
    return session;
  }

  // An expired token is remembered for as long as its session lives, so that its owner hears what is wrong; renewed
  // sessions would gather them, hence the bound.
  #forgetExpired(nowMs: number): void {
    for (const [key, { expiresAtMs }] of this.#tokens) if (nowMs > expiresAtMs + rememberMs) this.#tokens.delete(key);
  }
}

const rememberMs = 3_600_000;

interface OpenSession extends Session {
  lastSeenMs: number;
}

interface KnownToken {
  readonly digest: Buffer;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

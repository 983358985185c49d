import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { CallVerifier } from "./call-proof.js";
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

/** A token that a call came with. */
export interface FoundToken {
  readonly session: Session;
  /** What its calls are proven with, where they are proven one by one. */
  readonly verifier: CallVerifier | undefined;
}

export interface IssueInit {
  readonly identity: Identity;
  readonly connection: PeerConnection;
  readonly nowMs: number;
  readonly tokenMs: number;
  /** The session that is to go on. */
  readonly renews: Session | undefined;
  readonly verifier: CallVerifier | undefined;
}

/** Live sessions and the hashes of their tokens. */
export class SessionBook {
  readonly #sessions = new Map<string, OpenSession>();
  readonly #tokens = new Map<string, KnownToken>();

  /** Opens a session, or gives another token of one: the old token then lives on to its own end. */
  issue({ identity, connection, nowMs, tokenMs, renews, verifier }: IssueInit): IssuedToken {
    // Where calls are proven, an idle admin whose token is renewed stays idle.
    const lastSeenMs = verifier === undefined ? nowMs : (renews?.lastSeenMs ?? nowMs);
    const session: OpenSession = { id: renews?.id ?? randomUUID(), identity: withFormer(identity, renews), connection, lastSeenMs };
    this.#sessions.set(session.id, session);
    this.#forgetExpired(nowMs);
    const token = randomBytes(32).toString("base64url");
    const digest = digestOf(token);
    const expiresAtMs = nowMs + tokenMs;
    this.#tokens.set(digest.toString("hex"), { digest, sessionId: session.id, expiresAtMs, verifier });
    return { session, token };
  }

  /** @throws FlareError `auth/token-unknown`, `auth/token-expired` */
  byToken(token: string, nowMs: number): FoundToken {
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
    return { session, verifier: known.verifier };
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

  /** Sessions that were silent for longer than their kind may. */
  silent(nowMs: number, maxMs: (identity: Identity) => number): readonly Session[] {
    return [...this.#sessions.values()].filter(({ identity, lastSeenMs }) => nowMs - lastSeenMs > maxMs(identity));
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

/** A call that was signed before a renewal may arrive after it. */
function withFormer(identity: Identity, renews: Session | undefined): Identity {
  if (renews === undefined) return identity;
  const { fingerprint, formerFingerprints = [] } = renews.identity;
  const former = [...formerFingerprints, fingerprint].filter((known) => known !== identity.fingerprint);
  return former.length === 0 ? identity : { ...identity, formerFingerprints: former.slice(-2) };
}

interface OpenSession extends Session {
  lastSeenMs: number;
}

interface KnownToken {
  readonly digest: Buffer;
  readonly sessionId: string;
  readonly expiresAtMs: number;
  readonly verifier: CallVerifier | undefined;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

import { FlareError } from "@flare-ts/contracts";

/** A registration between its two steps. */
export interface PendingChallenge {
  readonly id: string;
  readonly identity: string;
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  /** Connection that asked; only it may answer. */
  readonly connectionId: string;
  readonly expiresAtMs: number;
}

export interface ChallengeBookInit {
  /** Challenges that may be open at once over all peers, and for each connection. */
  readonly max: number;
  readonly maxPerConnection: number;
}

/** Challenges that were given out and not answered: each can be taken once, and only in time. */
export class ChallengeBook {
  readonly #pending = new Map<string, PendingChallenge>();
  readonly #init: ChallengeBookInit;

  constructor(init: ChallengeBookInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** @throws FlareError `auth/too-many-challenges` */
  add(challenge: PendingChallenge, nowMs: number): void {
    this.#forgetExpired(nowMs);
    let ofConnection = 0;
    for (const { connectionId } of this.#pending.values()) if (connectionId === challenge.connectionId) ofConnection += 1;
    if (this.#pending.size >= this.#init.max || ofConnection >= this.#init.maxPerConnection) {
      throw new FlareError("auth/too-many-challenges", `${this.#pending.size} registrations are open.`, {
        facts: { open: this.#pending.size, ofConnection },
      });
    }
    this.#pending.set(challenge.id, challenge);
  }

  /**
   * Takes a challenge out, whatever then comes of it.
   *
   * @throws FlareError `auth/unknown-challenge`, `auth/challenge-expired`
   */
  take(id: string, connectionId: string, nowMs: number): PendingChallenge {
    const challenge = this.#pending.get(id);
    this.#pending.delete(id);
    if (challenge === undefined || challenge.connectionId !== connectionId) {
      throw new FlareError("auth/unknown-challenge", "The challenge is not open: never given out to this connection, or answered before.");
    }
    if (nowMs > challenge.expiresAtMs) {
      throw new FlareError("auth/challenge-expired", `The answer to the challenge came ${nowMs - challenge.expiresAtMs} ms too late.`, {
        facts: { lateMs: nowMs - challenge.expiresAtMs },
      });
    }
    return challenge;
  }

  forgetConnection(connectionId: string): void {
    for (const [id, challenge] of this.#pending) if (challenge.connectionId === connectionId) this.#pending.delete(id);
  }

  // An expired one is kept for one more life, so that its owner hears `auth/challenge-expired` and not `unknown`.
  #forgetExpired(nowMs: number): void {
    for (const [id, { expiresAtMs }] of this.#pending) {
      if (nowMs > expiresAtMs + graceMs) this.#pending.delete(id);
    }
  }
}

const graceMs = 60_000;

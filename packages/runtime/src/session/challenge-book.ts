import { FlareError } from "@flare-ts/contracts";
import type { KeyAgreement } from "./key-agreement.js";
import type { ProjectKeys } from "./project-keys.js";

/** A registration between its two steps. */
export interface PendingChallenge {
  readonly id: string;
  readonly identity: string;
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  /** Connection that asked; only it may answer. `undefined` where a proxy spreads calls over connections. */
  readonly connectionId: string | undefined;
  /** The server's keys that the challenge was signed with; those in force may be others by the second step. */
  readonly serverKeys: ProjectKeys;
  /** Where calls of the session are proven one by one. */
  readonly agreement?: KeyAgreement | undefined;
  readonly expiresAtMs: number;
}

export interface ChallengeBookInit {
  /** Challenges that may be open at once over all peers, and for each connection. */
  readonly max: number;
  readonly maxPerConnection: number;
  /** Challenges that belong to no connection and begin within a second. */
  readonly maxPerSecond: number;
}

/** Challenges that were given out and not answered: each can be taken once, and only in time. */
export class ChallengeBook {
  readonly #pending = new Map<string, PendingChallenge>();
  readonly #init: ChallengeBookInit;
  #second = { sinceMs: 0, count: 0 };

  constructor(init: ChallengeBookInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** @throws FlareError `auth/too-many-challenges` */
  add(challenge: PendingChallenge, nowMs: number): void {
    this.#forgetExpired(nowMs);
    if (challenge.connectionId === undefined) this.#admitStranger(nowMs);
    else this.#admit(challenge.connectionId);
    this.#pending.set(challenge.id, challenge);
  }

  /**
   * Takes a challenge out, whatever then comes of it.
   *
   * @throws FlareError `auth/unknown-challenge`, `auth/challenge-expired`
   */
  take(id: string, connectionId: string | undefined, nowMs: number): PendingChallenge {
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

  #admit(connectionId: string): void {
    let ofConnection = 0;
    for (const pending of this.#pending.values()) if (pending.connectionId === connectionId) ofConnection += 1;
    if (this.#pending.size >= this.#init.max || ofConnection >= this.#init.maxPerConnection) {
      throw new FlareError("auth/too-many-challenges", `${this.#pending.size} registrations are open.`, {
        facts: { open: this.#pending.size, ofConnection },
      });
    }
  }

  // Behind a proxy anybody can ask: no more than the server can sign beside its work, and none stands in the way of the
  // next, as an honest participant answers long before its challenge is the oldest.
  #admitStranger(nowMs: number): void {
    const { max, maxPerSecond } = this.#init;
    if (nowMs - this.#second.sinceMs >= 1000) this.#second = { sinceMs: nowMs, count: 0 };
    if (this.#second.count >= maxPerSecond) {
      throw new FlareError("auth/too-many-challenges", `${maxPerSecond} registrations began within a second.`, {
        facts: { open: this.#pending.size, maxPerSecond },
      });
    }
    this.#second.count += 1;
    if (this.#pending.size < max) return;
    const [oldest] = this.#pending.keys();
    if (oldest !== undefined) this.#pending.delete(oldest);
  }

  // An expired one is kept for one more life, so that its owner hears `auth/challenge-expired` and not `unknown`.
  #forgetExpired(nowMs: number): void {
    for (const [id, { expiresAtMs }] of this.#pending) {
      if (nowMs > expiresAtMs + graceMs) this.#pending.delete(id);
    }
  }
}

const graceMs = 60_000;

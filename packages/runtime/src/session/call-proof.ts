import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { FlareError, limits } from "@flare-ts/contracts";
import { ProofWindow } from "./proof-window.js";
import { transcript } from "./transcript.js";

/** What is proven of a call: that this session makes it, once, and with this message. */
export interface CallFacts {
  readonly sessionId: string;
  /** Path of the method, such as `/flare.v1.Site/SubmitUpdate`. */
  readonly method: string;
  /** The request as it goes over the wire, where it is a single message; a stream of messages has none. */
  readonly body: Uint8Array | undefined;
}

/** A call as the server sees it before it is proven. */
export interface UnprovenCall {
  readonly method: string;
  readonly body: Uint8Array | undefined;
  /** What the caller gave for a proof. */
  readonly proof: string | undefined;
}

/** The owner's side of a token: makes a proof for each of its calls. */
export class CallProver {
  readonly #key: Buffer;
  #sequence = 0;

  constructor(init: { readonly key: Buffer }) {
    this.#key = init.key;
  }

  /** A proof that is good once. */
  prove(facts: CallFacts): string {
    this.#sequence += 1;
    return `${this.#sequence}.${macOf(this.#key, facts, this.#sequence).toString("base64url")}`;
  }
}

/** The server's side of a token: takes each proof of its owner once. */
export class CallVerifier {
  readonly #key: Buffer;
  readonly #window = new ProofWindow(limits.overtakingCalls);

  constructor(init: { readonly key: Buffer }) {
    this.#key = init.key;
  }

  /** @throws FlareError `auth/proof-missing`, `auth/proof-invalid`, `auth/call-replayed` */
  verify(facts: CallFacts, proof: string | undefined): void {
    if (proof === undefined) throw new FlareError("auth/proof-missing", `A call of ${facts.method} carries a token without a proof.`);
    const [, digits = "", mac = ""] = proofPattern.exec(proof) ?? [];
    const sequence = Number(digits);
    const given = Buffer.from(mac, "base64url");
    const expected = macOf(this.#key, facts, sequence);
    if (sequence < 1 || given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) {
      throw new FlareError("auth/proof-invalid", `The proof of a call of ${facts.method} is not one of this session for this call.`);
    }
    const outcome = this.#window.take(sequence);
    if (outcome === "new") return;
    const why = outcome === "seen" ? "was made before" : `was overtaken by more than ${limits.overtakingCalls} others`;
    throw new FlareError("auth/call-replayed", `Call ${sequence} of the session, of ${facts.method}, ${why}.`, {
      facts: { method: facts.method, sequence },
    });
  }
}

// Fifteen digits are always a safe integer.
const proofPattern = /^([1-9]\d{0,14})\.([\w-]{43})$/;

/** HMAC with SHA-256 (RFC 2104) over everything that a call is. */
function macOf(key: Buffer, { sessionId, method, body }: CallFacts, sequence: number): Buffer {
  const digest = body === undefined ? "" : createHash("sha256").update(body).digest();
  return createHmac("sha256", key)
    .update(transcript("flare-ts/1 call", [sessionId, method, String(sequence), digest]))
    .digest();
}

import { createHash } from "node:crypto";
import type { KeyShares } from "./session-secret.js";

/** What both sides of a registration sign: everything that it depends on. */
export interface RegistrationFacts {
  readonly protocolVersion: number;
  readonly project: string;
  readonly serverName: string;
  /** The name that the participant claims. */
  readonly identity: string;
  readonly challengeId: string;
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  /** SHA-256 of the server's certificate, lower-case hexadecimal. */
  readonly serverFingerprint: string;
  /** Where each call of the session is proven. */
  readonly keyShares?: KeyShares;
}

/** The bytes that a server signs to prove itself to the participant that sent `clientNonce`. */
export function serverHello(facts: RegistrationFacts): Buffer {
  return transcript("flare-ts/1 server-hello", fieldsOf(facts));
}

/** The bytes that a participant signs to prove that the certificate with this fingerprint is its own. */
export function clientHello(facts: RegistrationFacts, clientFingerprint: string): Buffer {
  return transcript("flare-ts/1 client-hello", [...fieldsOf(facts), clientFingerprint]);
}

/** The bytes that a participant signs, with the key of the certificate that it has, to trade it for the one that it requests. */
export function renewalRequest(facts: RegistrationFacts, oldFingerprint: string, csrPem: string): Buffer {
  const digest = createHash("sha256").update(csrPem, "utf8").digest();
  return transcript("flare-ts/1 renew", [...fieldsOf(facts), oldFingerprint, digest]);
}

/** Label and fields as bytes; each is preceded by its length, so that no two different sets of fields give the same ones. */
export function transcript(label: string, fields: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const field of [label, ...fields]) {
    const bytes = typeof field === "string" ? Buffer.from(field, "utf8") : field;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

function fieldsOf(facts: RegistrationFacts): readonly (string | Uint8Array)[] {
  return [
    String(facts.protocolVersion),
    facts.project,
    facts.serverName,
    facts.identity,
    facts.challengeId,
    facts.clientNonce,
    facts.serverNonce,
    facts.serverFingerprint,
    ...(facts.keyShares === undefined ? [] : [facts.keyShares.client, facts.keyShares.server]),
  ];
}

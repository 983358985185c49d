import { constants, type KeyObject, sign, verify } from "node:crypto";

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
}

/** The bytes that a server signs to prove itself to the participant that sent `clientNonce`. */
export function serverHello(facts: RegistrationFacts): Buffer {
  return transcript("flare-ts/1 server-hello", fieldsOf(facts));
}

/** The bytes that a participant signs to prove that the certificate with this fingerprint is its own. */
export function clientHello(facts: RegistrationFacts, clientFingerprint: string): Buffer {
  return transcript("flare-ts/1 client-hello", [...fieldsOf(facts), clientFingerprint]);
}

/** Signs with RSA-PSS/SHA-256, or with ECDSA/SHA-256 for a key on a curve. */
export function signTranscript(bytes: Uint8Array, privateKey: KeyObject): Buffer {
  return sign("sha256", bytes, { key: privateKey, ...padding(privateKey) });
}

/** Whether a signature of `signTranscript` is by the owner of the public key. */
export function isSignedBy(bytes: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  try {
    return verify("sha256", bytes, { key: publicKey, ...padding(publicKey) }, signature);
  } catch {
    // A key type that cannot sign at all.
    return false;
  }
}

function padding(key: KeyObject): { padding?: number; saltLength?: number } {
  if (key.asymmetricKeyType !== "rsa") return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
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
  ];
}

// Each field is preceded by its length: no two different sets of fields give the same bytes.
function transcript(label: string, fields: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const field of [label, ...fields]) {
    const bytes = typeof field === "string" ? Buffer.from(field, "utf8") : field;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

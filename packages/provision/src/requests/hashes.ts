import { createHash, type KeyObject } from "node:crypto";

/** SHA-256 in lower-case hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** SHA-256 of a public key in DER (SubjectPublicKeyInfo), as FLARE has it. */
export function publicKeySha256(key: KeyObject): string {
  return sha256(key.export({ type: "spki", format: "der" }));
}

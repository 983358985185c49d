import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";

/** One side's ephemeral half of a key agreement. */
export interface KeyShare {
  /** Public key, 32 bytes as they go over the wire. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

/** The public halves that both sides sign. */
export interface KeyShares {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** Makes a key that serves for one registration. */
export function makeKeyShare(): KeyShare {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { publicKey: Buffer.from(x, "base64url"), privateKey };
}

/** Whether the bytes of a peer can be a public key. */
export function isKeyShare(bytes: Uint8Array): boolean {
  return bytes.byteLength === keyShareBytes;
}

/**
 * The key that proves the calls of one token; both sides of a registration come to the same one, and nobody else can.
 * X25519, then HKDF with SHA-256 over the transcript that the participant signs, which names both sides and both keys.
 *
 * @throws FlareError `transfer/protocol` when the peer's key is one that gives a secret that anybody knows
 * @see RFC 7748 section 6.1, RFC 5869
 */
export function deriveCallKey(own: KeyShare, theirs: Uint8Array, transcript: Uint8Array): Buffer {
  const salt = createHash("sha256").update(transcript).digest();
  return Buffer.from(hkdfSync("sha256", agree(own, theirs), salt, "flare-ts/1 call-key", 32));
}

const keyShareBytes = 32;

function agree({ privateKey }: KeyShare, theirs: Uint8Array): Buffer {
  try {
    const x = Buffer.from(theirs).toString("base64url");
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
    // OpenSSL refuses points of small order, whose secret is all zero.
    return diffieHellman({ privateKey, publicKey });
  } catch (error) {
    throw new FlareError("transfer/protocol", "The peer's key for the session is none that can be used.", { cause: error });
  }
}

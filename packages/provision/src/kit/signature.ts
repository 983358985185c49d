import { constants, type KeyObject, type SignKeyObjectInput, sign, verify } from "node:crypto";
import { promisify } from "node:util";

export interface SignBytesOptions {
  /** Length of the salt of RSA-PSS: that of the digest, or the longest that the key allows, as FLARE has it. @default "digest" */
  readonly salt?: "digest" | "longest";
}

/** Signs with RSA-PSS/SHA-256, or with ECDSA/SHA-256 for a key on a curve. */
export function signBytes(bytes: Uint8Array, privateKey: KeyObject, options: SignBytesOptions = {}): Buffer {
  return sign("sha256", bytes, signingKey(privateKey, options));
}

/** Signs as `signBytes` does, in Node's thread pool, where many signatures are made side by side. */
export async function signBytesInPool(bytes: Uint8Array, privateKey: KeyObject, options: SignBytesOptions = {}): Promise<Buffer> {
  return await signInPool("sha256", bytes, signingKey(privateKey, options));
}

/** Whether a signature of `signBytes` is by the owner of the public key. */
export function isSignedBy(bytes: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  try {
    return verify("sha256", bytes, { key: publicKey, ...paddingOf(publicKey, constants.RSA_PSS_SALTLEN_AUTO) }, signature);
  } catch {
    // A key type that cannot sign at all.
    return false;
  }
}

const signInPool = promisify(sign);

function signingKey(key: KeyObject, { salt = "digest" }: SignBytesOptions): SignKeyObjectInput {
  const saltLength = salt === "digest" ? constants.RSA_PSS_SALTLEN_DIGEST : constants.RSA_PSS_SALTLEN_MAX_SIGN;
  return { key, ...paddingOf(key, saltLength) };
}

function paddingOf({ asymmetricKeyType }: KeyObject, saltLength: number): { padding?: number; saltLength?: number } {
  return asymmetricKeyType === "rsa" ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } : {};
}

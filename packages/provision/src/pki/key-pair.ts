import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** A private key with its public half. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** Makes an RSA-2048 key in Node's thread pool; several calls at once run side by side. */
export async function createKeyPair(): Promise<KeyPair> {
  return await generate("rsa", { modulusLength: 2048, publicExponent: 65_537 });
}

/** Reads a private key in PEM. */
export function keyPairFromPem(pem: string): KeyPair {
  const privateKey = createPrivateKey(pem);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** A private key in the form that FLARE's kits hold: PKCS #1 in PEM, not encrypted. */
export function privateKeyPem({ privateKey }: KeyPair): string {
  return privateKey.export({ type: "pkcs1", format: "pem" }).toString();
}

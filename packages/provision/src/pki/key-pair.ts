import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { KeyType } from "@flare-ts/contracts";

/** A private key with its public half. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** Makes a key in Node's thread pool; several calls at once run side by side. */
export async function createKeyPair(type: KeyType): Promise<KeyPair> {
  if (type === "p256") return await generate("ec", { namedCurve: "P-256" });
  return await generate("rsa", { modulusLength: type === "rsa-2048" ? 2048 : 3072, publicExponent: 65_537 });
}

/** Reads a private key in PEM. */
export function keyPairFromPem(pem: string): KeyPair {
  const privateKey = createPrivateKey(pem);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** A private key in PEM, not encrypted: PKCS #1 for RSA, which is what FLARE's kits hold, PKCS #8 for a curve. */
export function privateKeyPem({ privateKey }: Pick<KeyPair, "privateKey">): string {
  const type = privateKey.asymmetricKeyType === "rsa" ? "pkcs1" : "pkcs8";
  return privateKey.export({ type, format: "pem" }).toString();
}

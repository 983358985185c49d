import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { FlareError, readDocument, sealedKeySchema } from "@flare-ts/contracts";

/** OWASP's first recommendation for scrypt: 128 MiB and about half a second for each guess. */
const logN = 17;
const [r, p] = [8, 1] as const;
const keyBytes = 32;
const tagBytes = 16;
const cipher = "aes-256-gcm";

/**
 * Encrypts a private key in PEM with a passphrase; the text is JSON.
 *
 * @see RFC 7914 (scrypt), NIST SP 800-38D (GCM)
 */
export async function sealKey(pem: string, passphrase: string): Promise<string> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const sealing = createCipheriv(cipher, await deriveKey(passphrase, salt, logN), nonce);
  const ciphertext = Buffer.concat([sealing.update(pem, "utf8"), sealing.final(), sealing.getAuthTag()]);
  const parts = { salt, nonce, ciphertext };
  const encoded = Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, bytes.toString("base64")]));
  return `${JSON.stringify({ format_version: 1, cipher, kdf: "scrypt", log_n: logN, r, p, ...encoded }, undefined, 2)}\n`;
}

/** Whether the text of a key file is encrypted. */
export function isSealed(text: string): boolean {
  return text.trimStart().startsWith("{");
}

/**
 * Decrypts what `sealKey` wrote.
 *
 * @throws FlareError `request/wrong-passphrase`, `request/authority-invalid`.
 */
export async function openSealedKey(text: string, file: string, passphrase: string): Promise<string> {
  const { value } = readDocument({ text, file, schema: sealedKeySchema, code: "request/authority-invalid" });
  const bytes = Buffer.from(value.ciphertext, "base64");
  const key = await deriveKey(passphrase, Buffer.from(value.salt, "base64"), value.log_n);
  try {
    const opening = createDecipheriv(cipher, key, Buffer.from(value.nonce, "base64"), { authTagLength: tagBytes });
    opening.setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([opening.update(bytes.subarray(0, -tagBytes)), opening.final()]).toString("utf8");
  } catch {
    throw new FlareError("request/wrong-passphrase", `The passphrase does not open ${file}, or the file is damaged.`, { facts: { file } });
  }
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

async function deriveKey(passphrase: string, salt: Buffer, log: number): Promise<Buffer> {
  // One passphrase may be typed in two forms of Unicode.
  return await derive(passphrase.normalize("NFC"), salt, keyBytes, { N: 2 ** log, r, p, maxmem: 256 * r * 2 ** log });
}

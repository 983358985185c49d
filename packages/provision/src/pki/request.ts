import type { KeyPair } from "./key-pair.js";
import { toPem } from "./pem.js";
import type { CertificateSubject } from "./subject.js";

export interface RequestInit {
  readonly subject: CertificateSubject;
  /** The key that the certificate is for; the request is signed with it, and it does not leave. */
  readonly keyPair: KeyPair;
}

/**
 * Makes a request for a certificate; PEM, label `CERTIFICATE REQUEST`.
 *
 * @see RFC 2986 (PKCS #10)
 */
export async function createRequest({ subject, keyPair: { publicKey, privateKey } }: RequestInit): Promise<string> {
  const der =
    publicKey.asymmetricKeyType === "rsa"
      ? (await import("./write-with-forge.js")).writeRequestWithForge(subject, publicKey, privateKey)
      : await (await import("./write-with-peculiar.js")).writeRequestWithPeculiar(subject, publicKey, privateKey);
  return toPem("CERTIFICATE REQUEST", der);
}

import type { X509Certificate } from "node:crypto";

/** SHA-256 of a certificate, lower-case hexadecimal: how programs name it to each other. */
export function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(":", "").toLowerCase();
}

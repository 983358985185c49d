import { X509Certificate } from "node:crypto";

/** A certificate with its key, PEM. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a browser shows of a certificate, to be compared: the SHA-256 of it. */
export function fingerprintOf({ cert }: TlsCertificate): string {
  return new X509Certificate(cert).fingerprint256;
}

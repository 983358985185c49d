import type { X509Certificate } from "node:crypto";

/** Whether an issuer names itself in a certificate and has signed it; itself, for a root. Says nothing of their times or uses. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key that cannot be decoded has signed nothing.
    return false;
  }
}

import { X509Certificate } from "node:crypto";
import { type CertificatePurpose, type Issuer, issueLeaf } from "./certificate.js";
import type { Validity } from "./certificate-content.js";
import { splitPem } from "./pem.js";
import { readRequest } from "./read-request.js";
import type { CertificateSubject } from "./subject.js";

export interface IssueFromRequestInit {
  /** From whoever; its subject and attributes are not taken over, its key is. */
  readonly csrPem: string;
  readonly issuer: Issuer;
  readonly subject: CertificateSubject;
  /** Its end is brought forward to that of the first certificate in the issuer's chain that ends. */
  readonly validity: Validity;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
  readonly purpose: CertificatePurpose;
}

/**
 * Issues a certificate for the key of a request; PEM, the certificate first, then those of its issuers below the root.
 *
 * @throws FlareError `certificate/request-invalid`, `certificate/key-refused`.
 */
export async function issueFromRequest({ csrPem, issuer, validity, ...rest }: IssueFromRequestInit): Promise<string> {
  const { publicKey } = readRequest(csrPem);
  const leaf = await issueLeaf({ ...rest, publicKey, issuer, validity: withinIssuer(validity, issuer) });
  return `${leaf}${chainBelowRoot(issuer)}`;
}

/** The part of a period in which the issuer's whole chain is good. */
export function withinIssuer({ from, to }: Validity, issuer: Issuer): Validity {
  const chain = splitPem("CERTIFICATE", issuer.certificatePem).map((pem) => new X509Certificate(pem));
  const end = Math.min(to.getTime(), ...chain.map(({ validToDate }) => validToDate.getTime()));
  return { from, to: new Date(end) };
}

/** Certificates that a participant sends along with its own: those of its issuers that did not sign themselves; PEM. */
export function chainBelowRoot({ certificatePem }: Issuer): string {
  const pems = splitPem("CERTIFICATE", certificatePem);
  return pems.filter((pem) => !isSelfIssued(new X509Certificate(pem))).join("");
}

function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}

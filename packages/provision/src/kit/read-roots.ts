import type { X509Certificate } from "node:crypto";
import { limits } from "@flare-ts/contracts";
import { isIssuedBy } from "../pki/is-issued-by.js";
import { readCertificateDetails } from "./certificate-details.js";
import { keyWeakness } from "./key-weakness.js";
import { readCertificates } from "./read-certificates.js";

/** A set of root certificates, or the reason why one cannot be trusted. */
export type RootsVerdict = { readonly roots: readonly X509Certificate[] } | { readonly problem: string };

/** Reads root certificates from a source that is trusted, and makes sure that each can be one: self-signed, for issuing, strong. */
export function readRoots(pem: string): RootsVerdict {
  let roots: X509Certificate[];
  try {
    roots = readCertificates(pem, { most: limits.trustedRoots });
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  const problem = roots.map(rootProblem).find((found) => found !== undefined);
  return problem === undefined ? { roots } : { problem };
}

function rootProblem(certificate: X509Certificate): string | undefined {
  const name = JSON.stringify(certificate.subject.slice(0, limits.peerTextChars));
  const details = readCertificateDetails(certificate.raw);
  if (details === undefined || !certificate.ca || !isIssuedBy(certificate, certificate))
    return `the certificate of ${name} is not a root certificate`;
  const weakness = keyWeakness(certificate, details);
  return weakness === undefined ? undefined : `the root certificate of ${name} is too weak: ${weakness}`;
}

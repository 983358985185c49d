import type { X509Certificate } from "node:crypto";
import { readCertificateDetails } from "../kit/certificate-details.js";

/**
 * How many authorities may stand in a row below the first certificate of a chain, by the path lengths (RFC 5280, 4.2.1.9) of all
 * that stand for it; below 0 where they do not even allow the first.
 *
 * @param chain the authority first, the root last
 */
export function roomBelow(chain: readonly X509Certificate[]): number {
  const rooms = chain.map(({ raw }, index) => (readCertificateDetails(raw)?.pathLength ?? Number.POSITIVE_INFINITY) - index);
  return Math.min(Number.POSITIVE_INFINITY, ...rooms);
}

import type { X509Certificate } from "node:crypto";
import type { CertificateDetails } from "./certificate-details.js";

/**
 * Says what is too weak about the key of a certificate, or about the signature that it carries; `undefined` when nothing is.
 * For a certificate whose issuer's signature was verified.
 */
export function keyWeakness(certificate: X509Certificate, { signatureAlgorithm }: CertificateDetails): string | undefined {
  if (!signatureAlgorithms.has(signatureAlgorithm)) return `it is signed by the algorithm ${signatureAlgorithm}`;
  try {
    const { asymmetricKeyType, asymmetricKeyDetails: details } = certificate.publicKey;
    if (asymmetricKeyType === "rsa") {
      if ((details?.modulusLength ?? 0) < leastModulusBits) return `its key is RSA of ${details?.modulusLength ?? 0} bits`;
      return (details?.publicExponent ?? 0n) < 3n ? "its key is RSA with the exponent 1" : undefined;
    }
    if (asymmetricKeyType !== "ec") return `its key is of the kind ${asymmetricKeyType ?? "unknown"}`;
    return curves.has(details?.namedCurve ?? "") ? undefined : `its key is on the curve ${details?.namedCurve ?? "unknown"}`;
  } catch {
    return "its key cannot be decoded";
  }
}

const leastModulusBits = 2048;
/** P-256 and P-384, by OpenSSL's names. */
const curves = new Set(["prime256v1", "secp384r1"]);
/** RSA (PKCS #1 v1.5 and PSS) and ECDSA with SHA-256, SHA-384 and SHA-512. */
const signatureAlgorithms = new Set([
  "1.2.840.113549.1.1.10",
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
]);

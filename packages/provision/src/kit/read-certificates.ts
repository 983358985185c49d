import { X509Certificate } from "node:crypto";
import { FlareError, limits } from "@flare-ts/contracts";

export interface ReadCertificatesOptions {
  /** More are refused. @default limits.chainCertificates */
  readonly most?: number;
}

/**
 * Reads the certificates of a PEM text in their order: that of a participant and its intermediates, or the roots of a project. A
 * text that holds something else in PEM is refused: OpenSSL takes further kinds for certificates, and would begin with another one.
 * Nothing is verified; until its issuer's signature is, nobody may touch a certificate's key.
 *
 * @throws FlareError `trust/certificate-unreadable`
 */
export function readCertificates(pem: string, { most = limits.chainCertificates }: ReadCertificatesOptions = {}): X509Certificate[] {
  if (pem.length > limits.chainBytes) throw unreadable(`it is longer than ${limits.chainBytes} bytes`);
  const blocks = pem.match(pemBlock) ?? [];
  if (blocks.length === 0) throw unreadable("it holds none");
  if (blocks.length !== (pem.match(anyBegin) ?? []).length) throw unreadable("it holds something else besides");
  if (blocks.length > most) throw unreadable(`it holds more than ${most}`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw unreadable("one cannot be parsed", cause);
    }
  });
}

// As for OpenSSL, a certificate begins with a line of its own; to it only a line feed ends one, to `^` other characters do too.
const pemBlock = /(?<![^\n])-----BEGIN CERTIFICATE-----[ \t]*\r?\n[^-]*-----END CERTIFICATE-----/g;
const anyBegin = /-----BEGIN/g;

function unreadable(why: string, cause?: unknown): FlareError {
  return new FlareError("trust/certificate-unreadable", `A text is not one of certificates in PEM: ${why}.`, {
    facts: { why },
    ...(cause === undefined ? {} : { cause }),
  });
}

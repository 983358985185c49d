import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";

export interface ProjectKeysInit {
  /** Certificate of the participant; PEM. */
  readonly certificatePem: string;
  /** PEM. */
  readonly privateKeyPem: string;
  /** Certificate of the project's root; PEM. */
  readonly rootCaPem: string;
}

/** A participant's certificate and key with the root of its project, parsed once. */
export interface ProjectKeys extends ProjectKeysInit {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  readonly root: X509Certificate;
}

/**
 * Parses what a startup kit holds.
 *
 * @throws FlareError `auth/certificate-unreadable`
 */
export function readProjectKeys(init: ProjectKeysInit): ProjectKeys {
  return {
    ...init,
    certificate: parseCertificate(init.certificatePem, "participant's certificate"),
    privateKey: parseKey(init.privateKeyPem),
    root: parseCertificate(init.rootCaPem, "root certificate"),
  };
}

/** Parses one PEM certificate; `what` names it in the error. */
export function parseCertificate(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new FlareError("auth/certificate-unreadable", `The ${what} is not a PEM certificate.`, { cause: error });
  }
}

/** SHA-256 of a certificate, lower-case hexadecimal. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new FlareError("auth/certificate-unreadable", "The participant's private key is not an unencrypted PEM key.", { cause: error });
  }
}

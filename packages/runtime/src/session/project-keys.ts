import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { type ProjectTrust, readCertificates } from "@flare-ts/provision/kit";

export { fingerprintOf } from "@flare-ts/provision/kit";

export interface ProjectKeysInit {
  /** Certificate of the participant, then those that stand between it and a root; PEM. */
  readonly certificatePem: string;
  /** PEM. */
  readonly privateKeyPem: string;
}

/** A participant's certificate and key, parsed once, with whom its project trusts. */
export interface ProjectKeys extends ProjectKeysInit {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  readonly trust: ProjectTrust;
}

/**
 * Parses what a startup kit holds.
 *
 * @throws FlareError `auth/certificate-unreadable`
 */
export function readProjectKeys({ certificatePem, privateKeyPem }: ProjectKeysInit, trust: ProjectTrust): ProjectKeys {
  return {
    certificatePem,
    privateKeyPem,
    certificate: parseCertificate(certificatePem, "participant's certificate"),
    privateKey: parseKey(privateKeyPem),
    trust,
  };
}

/** The keys as they are now, of what may have others later. */
export function snapshotOf({ certificatePem, privateKeyPem, certificate, privateKey, trust }: ProjectKeys): ProjectKeys {
  return { certificatePem, privateKeyPem, certificate, privateKey, trust };
}

/** Parses the first certificate of a PEM text: the one that `ProjectTrust.verify` judges; `what` names it in the error. */
export function parseCertificate(pem: string, what: string): X509Certificate {
  try {
    const [certificate] = readCertificates(pem);
    if (certificate === undefined) throw new RangeError("it holds none");
    return certificate;
  } catch (error) {
    throw new FlareError("auth/certificate-unreadable", `The ${what} is not a PEM certificate.`, { cause: error });
  }
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new FlareError("auth/certificate-unreadable", "The participant's private key is not an unencrypted PEM key.", { cause: error });
  }
}

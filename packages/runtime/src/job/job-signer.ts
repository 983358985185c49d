import { X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { readSubject } from "@flare-ts/provision/kit";

/** Who submitted a job, from a certificate that was verified. */
export interface Submitter {
  readonly name: string;
  readonly org: string;
  /** A FLARE role of admins. */
  readonly role: string;
}

export interface CheckSignerInit {
  readonly certificate: X509Certificate;
  readonly rootCaPem: string;
  readonly nowMs: number;
  /** Roles that may sign jobs; a site's or the server's key must not. */
  readonly roles: readonly string[];
}

/** Smallest RSA key that is trusted. */
const minModulusBits = 2048;

/**
 * Checks that a certificate was issued by the project's root to an admin and is valid now.
 *
 * @throws FlareError `job/signer-untrusted`, `job/signer-expired`
 */
export function checkSigner(init: CheckSignerInit): Submitter {
  const { certificate, nowMs } = init;
  const root = new X509Certificate(init.rootCaPem);
  // Nothing else is asked of a certificate that the root did not sign: `toLegacyObject` of Node 24.21 crashes the process
  // on one whose key cannot be decoded.
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) throw untrusted(certificate, "it is not of this project");
  if (certificate.ca) throw untrusted(certificate, "it is the certificate of an authority");
  if (rsaBits(certificate) < minModulusBits) throw untrusted(certificate, `its key is not RSA of ${minModulusBits} bits or more`);
  const submitter = submitterOf(certificate);
  if (!init.roles.includes(submitter.role)) {
    throw untrusted(certificate, `'${submitter.name}' has the role '${submitter.role}', which is not one of an admin`);
  }
  checkTime("certificate", certificate, submitter, nowMs);
  checkTime("root certificate", root, submitter, nowMs);
  return submitter;
}

/** Size of an RSA key; 0 for any other key, and for one that cannot be decoded. */
function rsaBits(certificate: X509Certificate): number {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    return asymmetricKeyType === "rsa" ? (asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  } catch {
    return 0;
  }
}

function checkTime(what: string, certificate: X509Certificate, submitter: Submitter, nowMs: number): void {
  const { validFrom, validTo } = certificate;
  // A date that cannot be read compares as false, and so is not valid.
  if (nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo)) return;
  const now = new Date(nowMs).toUTCString();
  throw new FlareError(
    "job/signer-expired",
    `The ${what} of the signer '${submitter.name}' is valid from ${validFrom} to ${validTo}, and it is ${now}.`,
    { facts: { name: submitter.name, validFrom, validTo, nowMs } },
  );
}

function untrusted(certificate: X509Certificate, reason: string): FlareError {
  const { fingerprint256 } = certificate;
  return new FlareError("job/signer-untrusted", `The certificate ${fingerprint256} that signed a job is not trusted: ${reason}.`, {
    facts: { fingerprint: fingerprint256, reason },
  });
}

function submitterOf(certificate: X509Certificate): Submitter {
  const { commonName, org, role } = readSubject(certificate);
  return { name: commonName, org, role };
}

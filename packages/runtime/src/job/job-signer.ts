import { X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";

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
  const { certificate } = init;
  const root = new X509Certificate(init.rootCaPem);
  const submitter = submitterOf(certificate);
  const untrusted = (reason: string): FlareError =>
    new FlareError("job/signer-untrusted", `The signer '${submitter.name}' of a job is not trusted: ${reason}.`, {
      facts: { name: submitter.name, fingerprint: certificate.fingerprint256, reason },
    });
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) throw untrusted("the certificate is not of this project");
  if (certificate.ca) throw untrusted("the certificate is one of an authority");
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (asymmetricKeyType !== "rsa" || (asymmetricKeyDetails?.modulusLength ?? 0) < minModulusBits)
    throw untrusted("the key is not RSA of 2048 bits or more");
  if (!init.roles.includes(submitter.role)) throw untrusted(`'${submitter.role}' is not the role of an admin`);
  for (const { what, of } of [
    { what: "certificate", of: certificate },
    { what: "root certificate", of: root },
  ]) {
    const from = Date.parse(of.validFrom);
    const to = Date.parse(of.validTo);
    // A date that cannot be read compares as false, and so is not valid.
    if (!(init.nowMs >= from && init.nowMs <= to)) {
      throw new FlareError(
        "job/signer-expired",
        `The ${what} of the signer '${submitter.name}' is valid from ${of.validFrom} to ${of.validTo}, and it is ${new Date(init.nowMs).toUTCString()}.`,
        { facts: { name: submitter.name, validFrom: of.validFrom, validTo: of.validTo, nowMs: init.nowMs } },
      );
    }
  }
  return submitter;
}

/** `toLegacyObject` keeps each attribute apart; the text of `subject` could be forged with a line break in a name. */
function submitterOf(certificate: X509Certificate): Submitter {
  const subject = certificate.toLegacyObject().subject as unknown as Readonly<Record<string, unknown>>;
  const attribute = (name: string): string => {
    const value = subject[name];
    return typeof value === "string" ? value : "";
  };
  return { name: attribute("CN"), org: attribute("O"), role: attribute("unstructuredName") };
}

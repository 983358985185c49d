import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { readSubject } from "../pki/read-certificate.js";
import type { Kit } from "./kit.js";
import { parseCertificate } from "./read-kit.js";
import { verifyFolder } from "./verify-folder.js";

export interface VerifyKitOptions {
  /** Moment at which the certificates must be good. @default the present */
  readonly now?: Date;
}

/**
 * Makes sure that a kit can be trusted: its root certificate issued its certificate, both are good now, the private key
 * is theirs, configuration and certificate name the same participant, and every file in startup is as it was signed.
 *
 * @throws FlareError `kit/certificate-unreadable`, `kit/untrusted-certificate`, `kit/expired`, `kit/not-yet-valid`,
 * `kit/key-mismatch`, `kit/identity-mismatch`, `kit/signature-missing`, `kit/signature-mismatch`,
 * `kit/signed-file-missing`, `kit/unsigned-file`.
 */
export async function verifyKit(kit: Kit, { now = new Date() }: VerifyKitOptions = {}): Promise<void> {
  const root = parseCertificate(kit.rootCaPem, kit.startup.rootCa);
  const certificate = parseCertificate(kit.certificatePem, kit.startup.certificate);
  checkChain(kit, certificate, root);
  checkDates(root, kit.startup.rootCa, now);
  checkDates(certificate, kit.startup.certificate, now);
  if (!certificate.checkPrivateKey(parseKey(kit))) {
    throw new FlareError("kit/key-mismatch", `The private key ${kit.startup.privateKey} does not belong to ${kit.startup.certificate}.`, {
      facts: { file: kit.startup.privateKey, certificate: kit.startup.certificate },
    });
  }
  checkIdentity(kit, certificate);
  await verifyFolder(kit.startup.dir, root.publicKey);
}

function checkChain({ startup }: Kit, certificate: X509Certificate, root: X509Certificate): void {
  const facts = { file: startup.certificate, rootCa: startup.rootCa };
  if (!root.ca || !root.verify(root.publicKey)) {
    throw new FlareError("kit/untrusted-certificate", `${startup.rootCa} is not a root certificate.`, { facts: { file: startup.rootCa } });
  }
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) {
    throw new FlareError("kit/untrusted-certificate", `${startup.certificate} was not issued by ${startup.rootCa}.`, { facts });
  }
}

function checkDates({ validFromDate, validToDate }: X509Certificate, file: string, now: Date): void {
  const [validFrom, validTo, at] = [validFromDate.toISOString(), validToDate.toISOString(), now.toISOString()];
  const facts = { file, validFrom, validTo, now: at };
  if (now > validToDate) throw new FlareError("kit/expired", `${file} expired at ${validTo}; it is ${at} now.`, { facts });
  if (now < validFromDate) throw new FlareError("kit/not-yet-valid", `${file} is good from ${validFrom} on; it is ${at} now.`, { facts });
}

function parseKey({ privateKeyPem, startup }: Kit): KeyObject {
  try {
    return createPrivateKey(privateKeyPem);
  } catch {
    // The cause may quote the key.
    throw new FlareError("kit/certificate-unreadable", `${startup.privateKey} is not a private key.`, {
      facts: { file: startup.privateKey },
    });
  }
}

function checkIdentity(kit: Kit, certificate: X509Certificate): void {
  const { commonName, role } = readSubject(certificate);
  const isProcess = role === "server" || role === "client" || role === "relay";
  const isRightRole = kit.type === "admin" ? !isProcess && role !== "" : role === kit.type;
  if (!isRightRole) {
    throw new FlareError(
      "kit/identity-mismatch",
      `${kit.startup.config} is the configuration of a kit for ${kit.type}, but ${kit.startup.certificate} gives '${commonName}' the role '${role}'.`,
      { facts: { file: kit.startup.certificate, type: kit.type, role } },
    );
  }
}

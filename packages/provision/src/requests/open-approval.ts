import { X509Certificate } from "node:crypto";
import { FlareError, readDocument, type SignedApprovalDocument, signedApprovalSchema } from "@flare-ts/contracts";
import { approvalFiles, isApprovalSigned } from "../kit/approval.js";
import { ProjectTrust } from "../kit/trust.js";
import { authorityFiles } from "./authority.js";
import { fingerprintOf } from "./fingerprint.js";
import { publicKeySha256, sha256 } from "./hashes.js";
import { claimDifference, claimOfDocument, type IdentityClaim, isConsistent } from "./identity-claim.js";
import { readExchange } from "./read-exchange.js";

/** An approval that its root certificate has signed, with a certificate that fits to it. */
export interface OpenApproval {
  readonly document: SignedApprovalDocument;
  readonly claim: IdentityClaim;
  /** As the archive has it, byte by byte. */
  readonly documentText: string;
  readonly signatureText: string;
  readonly certificatePem: string;
  readonly rootPem: string;
  readonly rootFingerprint: string;
}

export interface OpenApprovalInit {
  /** Path of `<name>.signed.zip`. */
  readonly file: string;
  /** The root's fingerprint as the project admin gave it over another way; nothing else says who sent the archive. */
  readonly expectedFingerprint: string | undefined;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the archive of an approval: the root certificate is the expected one, it signed the approval and the certificate, and
 * every hash, name and role is the same in all parts.
 *
 * @throws FlareError `request/incomplete`, `request/invalid`, `request/fingerprint-mismatch`, `request/signature-invalid`,
 * `request/mismatch`, `request/certificate-invalid`, `archive/*`, `file/not-found`, `file/unreadable`.
 */
export async function openApproval({ file, expectedFingerprint, now, signal }: OpenApprovalInit): Promise<OpenApproval> {
  const names = [approvalFiles.document, approvalFiles.signature, "site.yaml", authorityFiles.certificate];
  const exchange = await readExchange({ file, names, suffix: ".crt", signal });
  const rootPem = exchange.text(authorityFiles.certificate);
  const root = parse(rootPem, file, authorityFiles.certificate);
  const rootFingerprint = fingerprintOf(root);
  if (expectedFingerprint !== undefined && expectedFingerprint !== rootFingerprint) {
    throw new FlareError(
      "request/fingerprint-mismatch",
      `The root certificate in ${file} has the fingerprint ${rootFingerprint}, not ${expectedFingerprint}.`,
      {
        facts: { file, found: rootFingerprint, expected: expectedFingerprint },
      },
    );
  }
  if (!root.ca || !root.checkIssued(root)) throw wrongCertificate(file, `${authorityFiles.certificate} is not a root certificate`);
  const documentText = exchange.text(approvalFiles.document);
  if (!isApprovalSigned(exchange.bytes(approvalFiles.document), exchange.bytes(approvalFiles.signature), [root.publicKey])) {
    throw new FlareError(
      "request/signature-invalid",
      `${file}: ${approvalFiles.document} was not signed by the root certificate ${rootFingerprint}.`,
      {
        facts: { file, rootFingerprint },
      },
    );
  }
  const named = `${file}: ${approvalFiles.document}`;
  const { value: document } = readDocument({ text: documentText, file: named, schema: signedApprovalSchema, code: "request/invalid" });
  const claim = claimOfDocument(document);
  const certificatePem = exchange.text(exchange.namedFile);
  const certificate = parse(certificatePem, file, exchange.namedFile);
  const facts: readonly (readonly [what: string, said: string, found: string])[] = [
    ["kind and role", document.cert_type, isConsistent(document) ? document.cert_type : `not for the kind ${document.kind}`],
    ["cert_file", document.cert_file, exchange.namedFile],
    ["cert_file", `${claim.name}.crt`, exchange.namedFile],
    ["rootCA_fingerprint", document.ca_info.rootCA_fingerprint, rootFingerprint],
    ["rootca_sha256", document.hashes.rootca_sha256, sha256(exchange.bytes(authorityFiles.certificate))],
    ["certificate_sha256", document.hashes.certificate_sha256, sha256(exchange.bytes(exchange.namedFile))],
    ["site_yaml_sha256", document.hashes.site_yaml_sha256, sha256(exchange.bytes("site.yaml"))],
    ["public_key_sha256", document.hashes.public_key_sha256, publicKeySha256(certificate.publicKey)],
    ["serial", document.certificate.serial, certificate.serialNumber.toLowerCase()],
  ];
  const wrong = facts.find(([, said, found]) => said !== found);
  if (wrong !== undefined) {
    const [what, said, found] = wrong;
    throw new FlareError("request/mismatch", `${file}: ${what} is ${said} in ${approvalFiles.document}, but it is ${found}.`, {
      facts: { file, what, said, found },
    });
  }
  checkCertificate(file, certificatePem, rootPem, claim, now);
  const signatureText = exchange.text(approvalFiles.signature);
  return { document, claim, documentText, signatureText, certificatePem, rootPem, rootFingerprint };
}

function checkCertificate(file: string, certificatePem: string, rootPem: string, claim: IdentityClaim, now: Date): void {
  const verdict = trustIn(file, claim.project, rootPem).verify(certificatePem, { nowMs: now.getTime() });
  if (!verdict.ok) throw wrongCertificate(file, `the certificate is not good: ${verdict.message}`);
  const { commonName, org, role } = verdict.subject;
  const certified = { ...claim, name: commonName, org, certificateType: role as IdentityClaim["certificateType"] };
  const difference = claimDifference(claim, certified);
  if (difference !== undefined) throw wrongCertificate(file, `${approvalFiles.document} and the certificate say ${difference}`);
}

function trustIn(file: string, project: string, rootCaPem: string): ProjectTrust {
  try {
    return ProjectTrust.from({ project, rootCaPem });
  } catch (cause) {
    throw wrongCertificate(file, `${authorityFiles.certificate} cannot be used`, cause);
  }
}

function parse(pem: string, file: string, member: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw wrongCertificate(file, `${member} is not a certificate`, cause);
  }
}

function wrongCertificate(file: string, what: string, cause?: unknown): FlareError {
  return new FlareError("request/certificate-invalid", `${file}: ${what}.`, { cause, facts: { file, problem: what } });
}

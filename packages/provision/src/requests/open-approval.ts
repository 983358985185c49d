import type { X509Certificate } from "node:crypto";
import { FlareError, readDocument, type SignedApprovalDocument, signedApprovalSchema } from "@flare-ts/contracts";
import { isApprovalSigned } from "../kit/approval.js";
import { approvalFiles } from "../kit/approval-files.js";
import { readRoots } from "../kit/read-roots.js";
import { ProjectTrust } from "../kit/trust.js";
import { authorityFiles } from "./authority-folder.js";
import { fingerprintText } from "./fingerprint-text.js";
import { publicKeySha256, sha256 } from "./hashes.js";
import { claimDifference, claimOfDocument, type IdentityClaim, isConsistent } from "./identity-claim.js";
import { readExchange } from "./read-exchange.js";

/** Name of the trust list, in a signed archive and in a kit; there once somebody was revoked, or a root replaced. */
export const trustListFile = "trust.json";

/** An approval that its root certificate has signed, with a certificate that fits to it. */
export interface OpenApproval {
  readonly document: SignedApprovalDocument;
  readonly claim: IdentityClaim;
  /** As the archive has it, byte by byte. */
  readonly documentText: string;
  readonly signatureText: string;
  readonly certificatePem: string;
  /** Every root that is trusted. */
  readonly rootPem: string;
  readonly trustListText: string | undefined;
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
 * `request/mismatch`, `request/certificate-invalid`, `trust/*` for a trust list that is not good, `archive/*`, `file/not-found`, `file/unreadable`.
 */
export async function openApproval({ file, expectedFingerprint, now, signal }: OpenApprovalInit): Promise<OpenApproval> {
  const names = [approvalFiles.document, approvalFiles.signature, "site.yaml", authorityFiles.certificate];
  const exchange = await readExchange({ file, names, optional: [trustListFile], suffix: ".crt", signal });
  const documentText = exchange.text(approvalFiles.document);
  const named = `${file}: ${approvalFiles.document}`;
  const { value: document } = readDocument({ text: documentText, file: named, schema: signedApprovalSchema, code: "request/invalid" });
  const claim = claimOfDocument(document);
  const rootPem = exchange.text(authorityFiles.certificate);
  const root = findRoot(file, rootPem, document.ca_info.rootCA_fingerprint, expectedFingerprint);
  const rootFingerprint = fingerprintText(root);
  const certificatePem = exchange.text(exchange.namedFile);
  const trustListText = exchange.has(trustListFile) ? exchange.text(trustListFile) : undefined;
  const trust = ProjectTrust.from({ project: claim.project, rootCaPem: root.toString(), trustListText });
  const signers = [root, ...trust.authoritiesOf(certificatePem)].map(({ publicKey }) => publicKey);
  if (!isApprovalSigned(exchange.bytes(approvalFiles.document), exchange.bytes(approvalFiles.signature), signers)) {
    throw new FlareError(
      "request/signature-invalid",
      `${file}: ${approvalFiles.document} was not signed by the root certificate ${rootFingerprint}.`,
      { facts: { file, rootFingerprint } },
    );
  }
  const certificate = checkCertificate({ file, certificatePem, trust, claim, now });
  const facts: readonly (readonly [what: string, said: string, found: string])[] = [
    ["kind and role", document.cert_type, isConsistent(document) ? document.cert_type : `not for the kind ${document.kind}`],
    ["cert_file", document.cert_file, exchange.namedFile],
    ["cert_file", `${claim.name}.crt`, exchange.namedFile],
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
  const signatureText = exchange.text(approvalFiles.signature);
  return { document, claim, documentText, signatureText, certificatePem, rootPem, rootFingerprint, trustListText };
}

/** The root that an approval names, among those that it brings. */
function findRoot(file: string, rootPem: string, named: string, expected: string | undefined): X509Certificate {
  const read = readRoots(rootPem);
  if ("problem" in read) throw wrongCertificate(file, `${authorityFiles.certificate} cannot be used: ${read.problem}`);
  const root = read.roots.find((candidate) => fingerprintText(candidate) === named);
  const found = root === undefined ? read.roots.map(fingerprintText).join(", ") : named;
  if (expected !== undefined && expected !== found) {
    throw new FlareError("request/fingerprint-mismatch", `The root certificate in ${file} has the fingerprint ${found}, not ${expected}.`, {
      facts: { file, found, expected },
    });
  }
  if (root !== undefined) return root;
  throw new FlareError("request/mismatch", `${file}: ${approvalFiles.document} names the root ${named}, but it is ${found}.`, {
    facts: { file, said: named, found },
  });
}

/** Nobody touches the certificate's key before its issuer's signature is verified. */
function checkCertificate(init: {
  readonly file: string;
  readonly certificatePem: string;
  readonly trust: ProjectTrust;
  readonly claim: IdentityClaim;
  readonly now: Date;
}): X509Certificate {
  const { file, certificatePem, trust, claim, now } = init;
  const verdict = trust.verify(certificatePem, { nowMs: now.getTime() });
  if (!verdict.ok) throw wrongCertificate(file, `the certificate is not good: ${verdict.message}`);
  const { commonName, org, role } = verdict.subject;
  const certified = { ...claim, name: commonName, org, certificateType: role as IdentityClaim["certificateType"] };
  const difference = claimDifference(claim, certified);
  if (difference !== undefined) throw wrongCertificate(file, `${approvalFiles.document} and the certificate say ${difference}`);
  return verdict.certificate;
}

function wrongCertificate(file: string, what: string): FlareError {
  return new FlareError("request/certificate-invalid", `${file}: ${what}.`, { facts: { file, problem: what } });
}

import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { type ErrorCode, FlareError } from "@flare-ts/contracts";
import { readSubject } from "../pki/read-certificate.js";
import { readApproval } from "./approval.js";
import { explainProblem } from "./edited-file.js";
import type { Kit } from "./kit.js";
import { parseCertificate } from "./read-kit-file.js";
import { readRoots } from "./read-roots.js";
import type { ProjectTrust } from "./trust.js";
import { TrustKeeper } from "./trust-keeper.js";
import type { ChainFault, RefusedChain } from "./verify-chain.js";
import { verifyFolder } from "./verify-folder.js";

export interface VerifyKitOptions {
  /** Moment at which the certificates must be good. @default the present */
  readonly now?: Date;
  /** Whether the kit's certificate must be good; where not, its participant may have a renewed one. @default true */
  readonly isCertificateJudged?: boolean;
  /** Whom the participant trusts. @default what the kit and its folder `identity` say */
  readonly trust?: ProjectTrust | undefined;
}

/**
 * Makes sure that a kit can be trusted: a root of its project stands for its certificate, both are good now and not revoked, the
 * private key is theirs, configuration and certificate name the same participant, and every file in startup is as it was signed: by a
 * root, or, where the participant packaged the kit itself, by the participant's own key over what a root has approved.
 *
 * @throws FlareError `kit/certificate-unreadable`, `kit/untrusted-certificate`, `kit/revoked`, `kit/expired`, `kit/not-yet-valid`,
 * `trust/…` for a trust list that is not good, `kit/key-mismatch`, `kit/identity-mismatch`, `kit/signature-missing`, `kit/signature-mismatch`,
 * `kit/signed-file-missing`, `kit/unsigned-file`, `kit/approval-mismatch`.
 */
export async function verifyKit(kit: Kit, options: VerifyKitOptions = {}): Promise<void> {
  try {
    await verify(kit, options);
  } catch (problem) {
    throw await explainProblem(kit.startup.dir, problem);
  }
}

async function verify(kit: Kit, options: VerifyKitOptions): Promise<void> {
  const { now = new Date(), isCertificateJudged = true, trust: given } = options;
  const trust = given ?? (await TrustKeeper.open(kit)).trust;
  const certificate = parseCertificate(kit.certificatePem, kit.startup.certificate);
  const verdict = trust.verify(kit.certificatePem, { nowMs: now.getTime() });
  if (!verdict.ok && isCertificateJudged) throw refusal(kit, verdict, now);
  if (!certificate.checkPrivateKey(parseKey(kit))) {
    throw new FlareError("kit/key-mismatch", `The private key ${kit.startup.privateKey} does not belong to ${kit.startup.certificate}.`, {
      facts: { file: kit.startup.privateKey, certificate: kit.startup.certificate },
    });
  }
  checkIdentity(kit, certificate);
  const signers = signersOf(kit, trust);
  const approval = await readApproval(kit, signers);
  await verifyFolder(kit.startup.dir, approval === undefined ? signers : [certificate.publicKey]);
}

const codes: Readonly<Record<ChainFault, ErrorCode>> = {
  unreadable: "kit/certificate-unreadable",
  untrusted: "kit/untrusted-certificate",
  "wrong-project": "kit/untrusted-certificate",
  "weak-key": "kit/untrusted-certificate",
  "is-authority": "kit/untrusted-certificate",
  "issuer-not-allowed": "kit/untrusted-certificate",
  revoked: "kit/revoked",
  expired: "kit/expired",
  "not-yet-valid": "kit/not-yet-valid",
};

function refusal({ startup }: Kit, { why, which, message, facts: chainFacts }: RefusedChain, now: Date): FlareError {
  const file = which === "root" ? startup.rootCa : startup.certificate;
  const at = now.toISOString();
  const [validFrom, validTo] = [isoDate(chainFacts["validFrom"]), isoDate(chainFacts["validTo"])];
  const facts = { ...chainFacts, file, rootCa: startup.rootCa, validFrom, validTo, now: at };
  const untrusted = `${file} is not trusted. ${message}`;
  const texts: Readonly<Partial<Record<ChainFault, string>>> = {
    expired: `${file} expired at ${validTo}; it is ${at} now.`,
    "not-yet-valid": `${file} is good from ${validFrom} on; it is ${at} now.`,
    unreadable: `${file} does not hold a certificate and those that stand for it.`,
    untrusted: `${file} was not issued by ${startup.rootCa}. ${message}`,
  };
  return new FlareError(codes[why], texts[why] ?? untrusted, { facts });
}

function isoDate(date: unknown): string {
  const ms = Date.parse(String(date));
  return Number.isNaN(ms) ? String(date) : new Date(ms).toISOString();
}

/**
 * Who may have signed the kit's files: the roots that it came with, which may have been replaced since, those that are trusted now,
 * and the authorities that stand for its certificate and may issue for every role.
 */
function signersOf(kit: Kit, trust: ProjectTrust): readonly KeyObject[] {
  const own = readRoots(kit.rootCaPem);
  const roots = "problem" in own ? trust.roots : [...own.roots, ...trust.roots];
  return [...roots, ...trust.authoritiesOf(kit.certificatePem)].map((certificate) => certificate.publicKey);
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

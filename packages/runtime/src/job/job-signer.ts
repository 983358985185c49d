import { type ErrorCode, FlareError, isAdmin } from "@flare-ts/contracts";
import type { ChainFault, ProjectTrust, RefusedChain, TrustedChain } from "@flare-ts/provision/kit";

/** Who submitted a job, from a certificate that was verified. */
export interface Submitter {
  readonly name: string;
  readonly org: string;
  /** One of FLARE's roles of admins, or one of the project's own. */
  readonly role: string;
}

export interface CheckSignerInit {
  /** The signer's certificate, then those that stand between it and a root; PEM. */
  readonly chainPem: string;
  readonly trust: ProjectTrust;
  readonly nowMs: number;
}

/** A signer's certificate that was verified. */
export interface CheckedSigner {
  readonly submitter: Submitter;
  readonly certificate: TrustedChain["certificate"];
}

/**
 * Checks that a root of the project stands for an admin's certificate, and that it is valid now and not revoked.
 *
 * @throws FlareError `job/signature-invalid`, `job/signer-untrusted`, `job/signer-revoked`, `job/signer-expired`, `job/wrong-project`
 */
export function checkSigner({ chainPem, trust, nowMs }: CheckSignerInit): CheckedSigner {
  const verdict = trust.verify(chainPem, { nowMs });
  if (!verdict.ok) throw refusal(verdict, trust.project, nowMs);
  const { commonName: name, org, role } = verdict.subject;
  const { certificate } = verdict;
  // A site's or the server's key must not sign jobs.
  if (!isAdmin(name, role)) {
    const reason = `'${name}' has the role '${role}', which is not one of an admin`;
    throw untrusted(certificate.fingerprint256, reason);
  }
  return { submitter: { name, org, role }, certificate };
}

/**
 * Makes sure that the project still trusts who signed a job that was accepted; that the certificate expired meanwhile does not matter.
 *
 * @throws FlareError `job/signer-revoked`, `job/signer-untrusted`
 */
export function checkSignerAgain({ chainPem, trust, nowMs }: Pick<CheckSignerInit, "chainPem" | "trust" | "nowMs">): void {
  const verdict = trust.verify(chainPem, { nowMs });
  if (!verdict.ok && verdict.why !== "expired" && verdict.why !== "not-yet-valid") throw refusal(verdict, trust.project, nowMs);
}

const codes: Readonly<Record<ChainFault, ErrorCode>> = {
  unreadable: "job/signature-invalid",
  untrusted: "job/signer-untrusted",
  "wrong-project": "job/wrong-project",
  "weak-key": "job/signer-untrusted",
  "is-authority": "job/signer-untrusted",
  "issuer-not-allowed": "job/signer-untrusted",
  revoked: "job/signer-revoked",
  expired: "job/signer-expired",
  "not-yet-valid": "job/signer-expired",
};

function refusal({ why, message, facts }: RefusedChain, project: string, nowMs: number): FlareError {
  const now = new Date(nowMs).toUTCString();
  return new FlareError(codes[why], `The certificate that signed a job is not trusted: ${message} It is ${now}.`, {
    facts: { ...facts, reason: why, project, nowMs },
  });
}

function untrusted(fingerprint: string, reason: string): FlareError {
  return new FlareError("job/signer-untrusted", `The certificate ${fingerprint} that signed a job is not trusted: ${reason}.`, {
    facts: { fingerprint, reason },
  });
}

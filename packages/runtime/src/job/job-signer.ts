import { FlareError } from "@flare-ts/contracts";
import type { ProjectTrust, RefusedChain, TrustedChain } from "@flare-ts/provision/kit";

/** Who submitted a job, from a certificate that was verified. */
export interface Submitter {
  readonly name: string;
  readonly org: string;
  /** A FLARE role of admins. */
  readonly role: string;
}

export interface CheckSignerInit {
  /** The signer's certificate, then those that stand between it and a root; PEM. */
  readonly chainPem: string;
  readonly trust: ProjectTrust;
  readonly nowMs: number;
  /** Roles that may sign jobs; a site's or the server's key must not. */
  readonly roles: readonly string[];
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
export function checkSigner({ chainPem, trust, nowMs, roles }: CheckSignerInit): CheckedSigner {
  const verdict = trust.verify(chainPem, { nowMs });
  if (!verdict.ok) throw refusal(verdict, trust.project, nowMs);
  const { commonName: name, org, role } = verdict.subject;
  const { certificate } = verdict;
  if (!roles.includes(role)) {
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

function refusal({ why, message, facts }: RefusedChain, project: string, nowMs: number): FlareError {
  const of = `The certificate that signed a job is not trusted. ${message}`;
  switch (why) {
    case "unreadable":
      return new FlareError("job/signature-invalid", "This is not a signed job: its certificate cannot be read.", { facts });
    case "revoked":
      return new FlareError("job/signer-revoked", of, { facts });
    case "expired":
    case "not-yet-valid":
      return new FlareError("job/signer-expired", `${of} It is ${new Date(nowMs).toUTCString()}.`, { facts: { ...facts, nowMs } });
    case "wrong-project":
      return new FlareError("job/wrong-project", `${of} This is project '${project}'.`, { facts: { ...facts, project } });
    case "untrusted":
    case "weak-key":
    case "is-authority":
    case "issuer-not-allowed":
      return new FlareError("job/signer-untrusted", of, { facts: { ...facts, reason: why } });
  }
}

function untrusted(fingerprint: string, reason: string): FlareError {
  return new FlareError("job/signer-untrusted", `The certificate ${fingerprint} that signed a job is not trusted: ${reason}.`, {
    facts: { fingerprint, reason },
  });
}

import { type ErrorCode, FlareError, isAdmin } from "@flare-ts/contracts";
import type { ChainFault, ProjectTrust, TrustedChain } from "@flare-ts/provision/kit";
import type { Identity, ParticipantKind } from "./identity.js";
import { capPeerText as cap, quotePeerText as quote } from "./peer-text.js";
import { fingerprintOf } from "./project-keys.js";

export interface VerifyCertificateInit {
  /** The participant's certificate, then those that stand between it and a root; PEM. */
  readonly chainPem: string;
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long ago the certificate may have ended. @default 0 */
  readonly allowExpiredMs?: number;
}

/**
 * Checks that a root of the project stands for a certificate, that it is valid now and not revoked, and that it is meant for a
 * client of TLS; gives the identity that it carries.
 *
 * @throws FlareError `auth/certificate-unreadable`, `auth/wrong-project`, `auth/certificate-untrusted`, `auth/certificate-revoked`,
 * `auth/certificate-expired`, `auth/certificate-not-yet-valid`, `auth/certificate-usage`
 */
export function verifyParticipant(init: VerifyCertificateInit): Identity {
  const { certificate, subject } = verifyIssued(init, clientAuth);
  const { commonName: name, org, role } = subject;
  const kind = kindOf(name, role);
  if (kind === undefined) {
    throw new FlareError(
      "auth/certificate-usage",
      `The certificate of ${quote(name)} is for the role ${quote(role)}, which opens no sessions.`,
      {
        facts: { name: cap(name), role: cap(role) },
      },
    );
  }
  return { name, org, role, kind, fingerprint: fingerprintOf(certificate), chainPem: init.chainPem };
}

/** As `verifyParticipant`, for the certificate of the project's server; gives its name. */
export function verifyServer(init: VerifyCertificateInit): string {
  const { commonName: name, role } = verifyIssued(init, serverAuth).subject;
  if (role !== "server") {
    throw new FlareError("auth/certificate-usage", `The certificate of ${quote(name)} is not that of a server.`, {
      facts: { name: cap(name), role: cap(role) },
    });
  }
  return name;
}

/**
 * Makes sure that the project still trusts a certificate.
 *
 * @throws FlareError `auth/certificate-revoked`, `auth/certificate-untrusted`, `auth/certificate-expired` and others, as a registration
 */
export function verifyTrusted({ chainPem, trust, nowMs, allowExpiredMs }: VerifyCertificateInit): TrustedChain {
  const verdict = trust.verify(chainPem, { nowMs, allowExpiredMs });
  if (verdict.ok) return verdict;
  throw new FlareError(codes[verdict.why], verdict.message, { facts: verdict.facts });
}

const codes: Readonly<Record<ChainFault, ErrorCode>> = {
  unreadable: "auth/certificate-unreadable",
  untrusted: "auth/certificate-untrusted",
  "wrong-project": "auth/wrong-project",
  "weak-key": "auth/certificate-untrusted",
  "is-authority": "auth/certificate-usage",
  "issuer-not-allowed": "auth/certificate-untrusted",
  revoked: "auth/certificate-revoked",
  expired: "auth/certificate-expired",
  "not-yet-valid": "auth/certificate-not-yet-valid",
};

// Extended key usages of RFC 5280, 4.2.1.12.
const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

function verifyIssued(init: VerifyCertificateInit, usage: string): TrustedChain {
  const chain = verifyTrusted(init);
  // `keyUsage` of Node is the extended key usage; certificates of central provisioning carry none.
  const usages: readonly string[] | undefined = chain.certificate.keyUsage;
  if (usages !== undefined && usages.length > 0 && !usages.includes(usage)) {
    const { commonName } = chain.subject;
    throw new FlareError("auth/certificate-usage", `The certificate of ${quote(commonName)} is not meant for this side of a connection.`, {
      facts: { name: cap(commonName), fingerprint: fingerprintOf(chain.certificate), usages: [...usages] },
    });
  }
  return chain;
}

function kindOf(name: string, role: string): ParticipantKind | undefined {
  if (role === "client" || role === "relay") return role;
  return isAdmin(name, role) ? "admin" : undefined;
}

import type { X509Certificate } from "node:crypto";
import { FlareError, type Json } from "@flare-ts/contracts";
import { readSubject, type SubjectFields } from "@flare-ts/provision/kit";
import type { Identity, ParticipantKind } from "./identity.js";
import { capPeerText as cap, quotePeerText as quote } from "./peer-text.js";
import { fingerprintOf } from "./project-keys.js";

export interface VerifyCertificateInit {
  readonly certificate: X509Certificate;
  readonly root: X509Certificate;
  readonly project: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * Checks that a certificate was issued by the project's root, is valid now, and is meant for a client of TLS; gives
 * the identity that it carries.
 *
 * @throws FlareError `auth/wrong-project`, `auth/certificate-untrusted`, `auth/certificate-expired`,
 * `auth/certificate-not-yet-valid`, `auth/certificate-usage`
 */
export function verifyParticipant(init: VerifyCertificateInit): Identity {
  const { commonName: name, org, role } = verifyIssued(init, clientAuth);
  const kind = kindOf(role);
  if (kind === undefined) {
    throw new FlareError(
      "auth/certificate-usage",
      `The certificate of ${quote(name)} is for the role ${quote(role)}, which opens no sessions.`,
      {
        facts: { name: cap(name), role: cap(role) },
      },
    );
  }
  return { name, org, role, kind, fingerprint: fingerprintOf(init.certificate) };
}

/** As `verifyParticipant`, for the certificate of the project's server; gives its name. */
export function verifyServer(init: VerifyCertificateInit): string {
  const { commonName: name, role } = verifyIssued(init, serverAuth);
  if (role !== "server") {
    throw new FlareError("auth/certificate-usage", `The certificate of ${quote(name)} is not that of a server.`, {
      facts: { name: cap(name), role: cap(role) },
    });
  }
  return name;
}

// Extended key usages of RFC 5280, 4.2.1.12.
const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** FLARE's roles of people. */
const adminRoles = new Set(["project_admin", "org_admin", "lead", "member"]);

function verifyIssued({ certificate, root, project, nowMs }: VerifyCertificateInit, usage: string): SubjectFields {
  const subject = readSubject(certificate);
  const facts: { [key: string]: Json } = {
    name: cap(subject.commonName),
    issuer: cap(issuerName(certificate)),
    fingerprint: fingerprintOf(certificate),
  };
  if (readSubject(root).commonName !== project) {
    throw new FlareError(
      "auth/wrong-project",
      `The root certificate is that of project ${quote(readSubject(root).commonName)}, not ${quote(project)}.`,
      { facts },
    );
  }
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) {
    const message = `The certificate of ${quote(subject.commonName)} was issued by ${quote(issuerName(certificate))}, not by this project's root.`;
    throw new FlareError("auth/certificate-untrusted", message, { facts });
  }
  if (certificate.ca) {
    throw new FlareError("auth/certificate-usage", `The certificate of ${quote(subject.commonName)} is one that issues certificates.`, {
      facts,
    });
  }
  requireValidNow(certificate, "certificate", subject.commonName, nowMs, facts);
  requireValidNow(root, "root certificate", project, nowMs, facts);
  // `keyUsage` of Node is the extended key usage; certificates of central provisioning carry none.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages !== undefined && usages.length > 0 && !usages.includes(usage)) {
    throw new FlareError(
      "auth/certificate-usage",
      `The certificate of ${quote(subject.commonName)} is not meant for this side of a connection.`,
      {
        facts: { ...facts, usages: [...usages] },
      },
    );
  }
  return subject;
}

function requireValidNow(certificate: X509Certificate, what: string, name: string, nowMs: number, facts: { [key: string]: Json }): void {
  if (nowMs < Date.parse(certificate.validFrom)) {
    throw new FlareError("auth/certificate-not-yet-valid", `The ${what} of ${quote(name)} is valid from ${certificate.validFrom} only.`, {
      facts: { ...facts, validFrom: certificate.validFrom },
    });
  }
  if (nowMs > Date.parse(certificate.validTo)) {
    throw new FlareError("auth/certificate-expired", `The ${what} of ${quote(name)} expired on ${certificate.validTo}.`, {
      facts: { ...facts, validTo: certificate.validTo },
    });
  }
}

function kindOf(role: string): ParticipantKind | undefined {
  if (role === "client") return "client";
  return adminRoles.has(role) ? "admin" : undefined;
}

function issuerName(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.issuer)?.[1] ?? "";
}

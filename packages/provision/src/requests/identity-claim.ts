import type { CertificateRequestDocument, ParticipantFileDocument, SignedApprovalDocument } from "@flare-ts/contracts";

/** Who asks for a certificate, as a request, its approval and the certificate must all say. */
export interface IdentityClaim {
  readonly project: string;
  readonly name: string;
  readonly org: string;
  readonly kind: CertificateRequestDocument["kind"];
  /** Role in the certificate: `client`, `server` or that of an admin. */
  readonly certificateType: CertificateRequestDocument["cert_type"];
}

/** What a participant file says. */
export function claimOfFile({ name: project, participants: [participant] }: ParticipantFileDocument): IdentityClaim {
  const { name, org } = participant;
  if (participant.type === "server") return { project, name, org, kind: "server", certificateType: "server" };
  if (participant.type === "client") return { project, name, org, kind: "site", certificateType: "client" };
  return { project, name, org, kind: "user", certificateType: participant.role };
}

/** What `request.json` or `signed.json` says. */
export function claimOfDocument(document: CertificateRequestDocument | SignedApprovalDocument): IdentityClaim {
  const { project, name, org, kind, cert_type } = document;
  return { project, name, org, kind, certificateType: cert_type };
}

/** The claim as `request.json` and `signed.json` write it. */
export function claimFields({ project, name, org, kind, certificateType }: IdentityClaim) {
  const role = certificateType === "client" || certificateType === "server" ? null : certificateType;
  return { project, name, org, kind, cert_type: certificateType, cert_role: role };
}

/** The first thing in which two claims differ, for a message; `undefined` when they are the same. */
export function claimDifference(one: IdentityClaim, other: IdentityClaim): string | undefined {
  const keys = ["project", "name", "org", "kind", "certificateType"] as const;
  const key = keys.find((candidate) => one[candidate] !== other[candidate]);
  return key === undefined ? undefined : `${key === "certificateType" ? "role" : key} '${one[key]}' and '${other[key]}'`;
}

/** Whether kind, type and role of a document belong together: a site is a client, a user has the role of an admin. */
export function isConsistent({ kind, cert_type, cert_role }: CertificateRequestDocument | SignedApprovalDocument): boolean {
  if (kind === "site") return cert_type === "client" && cert_role === null;
  if (kind === "server") return cert_type === "server" && cert_role === null;
  return cert_type !== "client" && cert_type !== "server" && (cert_role === null || cert_role === cert_type);
}

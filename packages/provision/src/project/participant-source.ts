import type { ConnectionSecurity, ParticipantDocument, ProjectDocument } from "@flare-ts/contracts";
import type { CaCertificates } from "./ca-certificates.js";
import type { DocumentPath, Findings } from "./findings.js";

/** A participant of one type as the project file says it. */
export type Written<T extends ParticipantDocument["type"]> = Extract<ParticipantDocument, { type: T }>;

/** Participants that get a kit. */
export type WrittenParticipant = Written<"server" | "client" | "relay" | "admin">;

/** One participant, where it stands, and what it falls back to. */
export interface ParticipantSource<P extends WrittenParticipant> {
  readonly written: P;
  readonly path: DocumentPath;
  readonly project: ProjectDocument;
  readonly caCertificates: CaCertificates;
  readonly findings: Findings;
}

/** All participants of a type. */
export function sourcesOf<T extends WrittenParticipant["type"]>(
  type: T,
  rest: Omit<ParticipantSource<Written<T>>, "written" | "path">,
): ParticipantSource<Written<T>>[] {
  return rest.project.participants.flatMap((written, index) =>
    written.type === type ? [{ ...rest, written: written as Written<T>, path: ["participants", index] }] : [],
  );
}

/** What every participant has. */
export function commonOf({ written, path, project, caCertificates }: ParticipantSource<WrittenParticipant>): {
  readonly name: string;
  readonly org: string;
  readonly connectionSecurity: ConnectionSecurity;
  readonly customCaCert?: string;
} {
  const isOwn = written.custom_ca_cert !== undefined && written.custom_ca_cert !== null;
  const file = isOwn ? written.custom_ca_cert : project.custom_ca_cert;
  const pem =
    file === undefined || file === null ? undefined : caCertificates.read(file, isOwn ? [...path, "custom_ca_cert"] : ["custom_ca_cert"]);
  return {
    name: written.name,
    org: written.org,
    connectionSecurity: written.connection_security ?? project.connection_security ?? "mtls",
    ...(pem === undefined ? {} : { customCaCert: pem }),
  };
}

/** By which name a participant says who it is, where that is not its own. */
export function identityOf({ name, auth_identity }: WrittenParticipant): { readonly authIdentity?: string } {
  return auth_identity === undefined || auth_identity === null || auth_identity === name ? {} : { authIdentity: auth_identity };
}

import type { ProjectDocument } from "@flare-ts/contracts";
import type { DocumentPath, Findings } from "./findings.js";
import type { WrittenParticipant } from "./participant-source.js";

/**
 * Finds what a project file asks for, the kits say, and the processes of this version do not do yet: the kits are right, and
 * who provisions is told what they will not bring about.
 */
export function checkRuntime(project: ProjectDocument, findings: Findings): void {
  project.participants.forEach((participant, index) => {
    if (participant.type === "overseer" || participant.type === "other") return;
    checkParticipant(participant, { project, path: ["participants", index], findings });
  });
}

interface Context {
  readonly project: ProjectDocument;
  readonly path: DocumentPath;
  readonly findings: Findings;
}

function checkParticipant(participant: WrittenParticipant, { project, path, findings }: Context): void {
  const { name, type } = participant;
  if (type !== "admin" && type !== "relay" && isGiven(participant.listening_host)) {
    findings.warning(
      [...path, "listening_host"],
      `listening_host of '${name}' is written into its kit, certificate included, and nothing listens there yet`,
    );
  }
  if (type === "client" && isGiven(participant.parent) && participant.parent !== "") {
    findings.warning([...path, "parent"], `parent of '${name}' is written into its kit, and jobs do not go by the hierarchy of sites yet`);
  }
  if (isGiven(participant.auth_identity) && participant.auth_identity !== name) {
    findings.warning(
      [...path, "auth_identity"],
      `auth_identity is written into the kits, and who is who is decided by the certificate, which names '${name}'`,
    );
  }
  checkCustomCa(participant, { project, path, findings });
}

function checkCustomCa(participant: WrittenParticipant, { project, path, findings }: Context): void {
  if (!isGiven(participant.custom_ca_cert)) return;
  const isServer = participant.type === "server";
  const upstream = isServer ? undefined : participant.connect_to;
  const own = typeof upstream === "object" ? upstream?.connection_security : undefined;
  const security = own ?? participant.connection_security ?? project.connection_security ?? "mtls";
  if (!isServer && security === "tls") return;
  const reason = isServer
    ? "whoever connects to the server needs it, with tls; write it there or at the project"
    : `'${participant.name}' connects with ${security}, and only with tls is the certificate that it meets another's than the project's`;
  findings.warning([...path, "custom_ca_cert"], `custom_ca_cert has no effect: ${reason}`);
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

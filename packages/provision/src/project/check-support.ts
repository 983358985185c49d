import type { ParticipantDocument, ProjectDocument } from "@flare-ts/contracts";
import type { Findings } from "./findings.js";

/** Keys that FLARE knows and that cannot be left out of a kit without changing what the project means. */
const unsupportedKeys = {
  project: ["custom_ca_cert", "studies", "edge", "include"],
  server: ["custom_ca_cert", "listening_host", "auth_identity", "cc_config"],
  client: ["custom_ca_cert", "listening_host", "auth_identity", "cc_config", "parent", "edge_service_port"],
  admin: ["custom_ca_cert", "auth_identity", "cc_config"],
} as const;

/** Keys that FLARE knows, that have no effect here, and without which the kits are still right. */
const effectlessKeys = {
  project: { packager: "kits are written as folders" },
  server: {
    use_aio: "the server is asynchronous always",
    components: "FLARE does not read it any more",
    enable_byoc: "the policy in authorization.json decides",
  },
  client: {
    allow_log_streaming: "logs are not streamed yet",
    components: "FLARE does not read it any more",
    enable_byoc: "the policy in authorization.json decides",
  },
  admin: { components: "FLARE does not read it any more", enable_byoc: "the policy in authorization.json decides" },
} as const;

/** Finds everything that a project file asks for and this version cannot do, or does not need. */
export function checkSupport(project: ProjectDocument, findings: Findings): void {
  if (project.api_version === 4) findings.unsupported(["api_version"], "api_version 4 is not supported yet; write 3 and leave out studies");
  checkKeys(project, "project", [], findings);
  checkSecurity(project.connection_security, ["connection_security"], findings);
  project.participants.forEach((participant, index) => {
    checkParticipant(participant, ["participants", index], findings);
  });
}

function checkParticipant(participant: ParticipantDocument, path: readonly PropertyKey[], findings: Findings): void {
  if (participant.type === "relay") {
    findings.unsupported(path, `relay '${participant.name}': relays are not supported yet`);
    return;
  }
  if (participant.type === "overseer") {
    findings.warning(path, `overseer '${participant.name}' has no effect: FLARE has no overseer any more`);
    return;
  }
  checkKeys(participant, participant.type, path, findings);
  checkSecurity(participant.connection_security, [...path, "connection_security"], findings);
  if (participant.type === "server" || typeof participant.connect_to !== "object" || participant.connect_to === null) return;
  const { connection_security, auth_identity } = participant.connect_to;
  checkSecurity(connection_security, [...path, "connect_to", "connection_security"], findings);
  if (auth_identity !== undefined && auth_identity !== null) {
    findings.unsupported([...path, "connect_to", "auth_identity"], "auth_identity is not supported yet");
  }
}

function checkKeys(value: object, kind: keyof typeof unsupportedKeys, path: readonly PropertyKey[], findings: Findings): void {
  const given = new Map(Object.entries(value).filter(([, entry]) => entry !== undefined && entry !== null));
  for (const key of unsupportedKeys[kind]) {
    if (given.has(key)) findings.unsupported([...path, key], `${key} is not supported yet`);
  }
  for (const [key, reason] of Object.entries(effectlessKeys[kind])) {
    if (given.has(key)) findings.warning([...path, key], `${key} has no effect: ${reason}`);
  }
}

function checkSecurity(security: string | null | undefined, path: readonly PropertyKey[], findings: Findings): void {
  if (security === undefined || security === null || security === "mtls") return;
  findings.unsupported(path, `connection_security ${security} is not supported yet; only mtls is`);
}

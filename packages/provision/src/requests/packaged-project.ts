import type { ParticipantFileDocument, SignedApprovalDocument } from "@flare-ts/contracts";
import { parseProject } from "../project/parse-project.js";
import type { Participant, Project } from "../project/project.js";
import { hostNamesOf } from "./site-file.js";

/**
 * The project as far as one participant knows it from its approval: itself and the server. What the project admin decides
 * comes from the approval; what is decided where the kit runs, from the participant file.
 *
 * @throws FlareError `project/invalid`, `project/not-supported`.
 */
export function packagedProject(
  approval: SignedApprovalDocument,
  site: ParticipantFileDocument,
  file: string,
): { readonly project: Project; readonly participant: Participant } {
  const [own] = site.participants;
  const { host, name: serverName = host, fed_learn_port, admin_port } = approval.server;
  const security = approval.default_connection_security;
  const server = {
    type: "server",
    name: serverName,
    org: own.org,
    default_host: host,
    fed_learn_port,
    admin_port,
    ...(own.type === "server" ? { host_names: hostNamesOf(own), connection_security: own.connection_security ?? security } : {}),
  };
  const others = own.type === "server" ? [] : [own];
  // A project file has an admin; one that is never given a kit stands in where none is known.
  const standIn = own.type === "admin" ? [] : [{ type: "admin", name: "nobody@example.org", org: own.org, role: "member" }];
  const document = {
    api_version: 3,
    name: approval.project,
    ...(site.description === undefined || site.description === null ? {} : { description: site.description }),
    connection_security: security,
    participants: [server, ...others, ...standIn],
    builders: [{ path: "nvflare.lighter.impl.static_file.StaticFileBuilder", args: { scheme: approval.scheme } }],
  };
  const parsed = parseProject(JSON.stringify(document, undefined, 2), file);
  const project = { ...parsed, certificates: { ...parsed.certificates, ...renewalOf(approval) } };
  const participant = project.participants.find(({ name }) => name === own.name);
  if (participant === undefined) throw new TypeError("a participant is not in its own project");
  return { project, participant };
}

/** An approval by FLARE says nothing of renewal: there is none then. */
function renewalOf({ certificates }: SignedApprovalDocument): Partial<Project["certificates"]> {
  if (certificates === undefined) return { renewalIssuer: "none", serverMayRenew: [] };
  return {
    renewalIssuer: certificates.renewal,
    leafLifetimeMs: certificates.leaf_lifetime_ms,
    renewalGraceMs: certificates.renewal_grace_ms,
    serverMayRenew: certificates.server_may_renew,
  };
}

import { isIP } from "node:net";
import { type ParticipantDocument, type ProjectDocument, projectDocumentSchema, readDocument } from "@flare-ts/contracts";
import { checkNames } from "./check-names.js";
import { checkSupport } from "./check-support.js";
import { Findings } from "./findings.js";
import type { AdminParticipant, ClientParticipant, Project, ServerAddress, ServerParticipant } from "./project.js";
import { readBuilders } from "./read-builders.js";

type ServerDocument = Extract<ParticipantDocument, { type: "server" }>;
type ConnectTo = Extract<ParticipantDocument, { type: "client" | "admin" }>["connect_to"];

const defaultPort = 8002;

/**
 * Turns the text of a project file into a project with every default filled in.
 *
 * @throws FlareError `project/invalid` with each mistake and its line; `project/not-supported` with each line that asks
 * for what FLARE has and this version has not.
 */
export function parseProject(text: string, file: string): Project {
  const document = readDocument({ text, file, schema: projectDocumentSchema, code: "project/invalid" });
  const findings = new Findings(document);
  const written = document.value;
  checkSupport(written, findings);
  checkNames(written, findings);
  const { rootValidDays, requireSignedJobs } = readBuilders(written.builders, findings);
  const serverIndex = written.participants.findIndex(({ type }) => type === "server");
  const serverDocument = written.participants[serverIndex];
  const server = serverDocument?.type === "server" ? readServer(serverDocument, serverIndex, findings) : undefined;
  const participants = server === undefined ? [] : readParticipants(written, server, findings);
  findings.throwIfAny(file);
  if (server === undefined) throw new TypeError("a project without a server passed its checks");
  return Object.freeze({
    name: written.name,
    description: written.description ?? "",
    rootValidDays,
    ...(requireSignedJobs === true ? { requireSignedJobs } : {}),
    server,
    participants,
    warnings: findings.warnings,
  });
}

function readServer(server: ServerDocument, index: number, findings: Findings): ServerParticipant {
  const path = ["participants", index] as const;
  const port = server.fed_learn_port ?? defaultPort;
  const adminPort = server.admin_port ?? port;
  if (adminPort !== port) {
    findings.warning([...path, "admin_port"], `admin_port ${adminPort} has no effect: admins connect to fed_learn_port ${port} too`);
  }
  const defaultHost = server.default_host ?? server.name;
  const hostNames = typeof server.host_names === "string" ? [server.host_names] : (server.host_names ?? []);
  const written: [string, string][] = [
    ["name", server.name],
    ["default_host", defaultHost],
    ...hostNames.map((host): [string, string] => ["host_names", host]),
  ];
  for (const [key, host] of written) {
    if (host.includes(":") && isIP(host) === 0) findings.mistake([...path, key], `'${host}' is neither a DNS name nor an IP address`);
  }
  return {
    type: "server",
    name: server.name,
    org: server.org,
    port,
    hosts: [defaultHost, ...hostNames.filter((host) => host !== defaultHost)],
  };
}

function readParticipants(project: ProjectDocument, server: ServerParticipant, findings: Findings): Project["participants"] {
  return project.participants.flatMap((participant, index): Project["participants"] => {
    const path = ["participants", index, "connect_to"] as const;
    if (participant.type === "server") return participant.name === server.name ? [server] : [];
    if (participant.type === "client") {
      const client: ClientParticipant = {
        type: "client",
        name: participant.name,
        org: participant.org,
        connectTo: readConnectTo(participant.connect_to, server, path, findings),
        gpus: participant.capacity?.num_of_gpus ?? 0,
        memPerGpuGiB: participant.capacity?.mem_per_gpu_in_GiB ?? 0,
      };
      return [client];
    }
    if (participant.type === "admin") {
      const { name, org, role, connect_to } = participant;
      const admin: AdminParticipant = { type: "admin", name, org, role, connectTo: readConnectTo(connect_to, server, path, findings) };
      return [admin];
    }
    return [];
  });
}

function readConnectTo(written: ConnectTo, server: ServerParticipant, path: readonly PropertyKey[], findings: Findings): ServerAddress {
  const [defaultHost] = server.hosts;
  const isMap = typeof written === "object" && written !== null;
  const host = (isMap ? written.host : written) ?? defaultHost;
  const name = isMap ? written.name : undefined;
  if (name !== undefined && name !== null && name !== server.name) {
    findings.mistake([...path, "name"], `connect_to names '${name}', but the server is '${server.name}'`);
  }
  const port = (isMap ? written.port : undefined) ?? server.port;
  if (host === server.name) return { host: server.hosts.includes(host) ? host : defaultHost, port };
  if (!server.hosts.includes(host)) {
    findings.mistake(
      isMap ? [...path, "host"] : path,
      `'${host}' is not a host of server '${server.name}' (${server.hosts.join(", ")}); add it to the server's host_names`,
    );
  }
  return { host, port };
}

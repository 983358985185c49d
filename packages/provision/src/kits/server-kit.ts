import type { FedServer, ServerResourcesDocument } from "@flare-ts/contracts";
import type { Project, ServerParticipant } from "../project/project.js";
import { authIdentityMap, authIdentityOf } from "./auth-identities.js";
import { certificateSettings } from "./certificate-settings.js";
import { commConfigFiles } from "./comm-config.js";
import { identityFiles } from "./identity-files.js";
import { jsonFile, type KitFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { processFiles } from "./process-files.js";
import { targetText } from "./target-text.js";

/** Files of the server's kit. */
export function serverFiles(init: KitInit<ServerParticipant>): KitFile[] {
  const { project, participant } = init;
  const [host] = participant.hosts;
  const fedServer: FedServer = {
    format_version: 2,
    ...(project.requireSignedJobs === true ? { require_signed_jobs: true } : {}),
    servers: [
      {
        name: project.name,
        service: { target: targetText(host, participant.port), scheme: "grpc" },
        admin_server: host,
        admin_port: participant.port,
        ssl_private_key: "server.key",
        ssl_cert: "server.crt",
        ssl_root_cert: "rootCA.pem",
        connection_security: participant.connectionSecurity,
        ...authIdentityOf(participant),
        ...authIdentityMap(project),
      },
    ],
    certificates: certificateSettings(project),
  };
  const resources: ServerResourcesDocument = {
    format_version: 2,
    servers: [{ max_num_clients: 100 }],
    components: [{ id: "job_scheduler", args: { max_jobs: 4 } }],
  };
  return [
    jsonFile("startup/fed_server.json", fedServer),
    ...identityFiles(init),
    jsonFile("local/resources.json.default", resources),
    ...studyRegistry(project),
    ...commConfigFiles(participant.listeningHost, { isBehindRelay: false }),
    ...processFiles(init),
  ];
}

function studyRegistry({ studies }: Project): KitFile[] {
  if (studies === undefined) return [];
  const entries = Object.entries(studies).map(([name, { siteOrgs, admins }]) => [name, { site_orgs: siteOrgs, admins }]);
  return [jsonFile("local/study_registry.json", { format_version: "1.0", studies: Object.fromEntries(entries) })];
}

import { defaultAuthorizationPolicy, type FedServer, type LogConfig, type ServerResourcesDocument } from "@flare-ts/contracts";
import type { ServerParticipant } from "../project/project.js";
import { jsonFile, type KitFile, plainFile, secretFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";
import { processScripts } from "./scripts.js";
import { targetText } from "./target-text.js";

/** Files of the server's kit. */
export function serverFiles({ project, participant, identity, rootCertificatePem }: KitInit<ServerParticipant>): KitFile[] {
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
        connection_security: "mtls",
      },
    ],
  };
  const resources: ServerResourcesDocument = {
    format_version: 2,
    servers: [{ max_num_clients: 100 }],
    components: [{ id: "job_scheduler", args: { max_jobs: 4 } }],
  };
  return [
    jsonFile("startup/fed_server.json", fedServer),
    plainFile("startup/server.crt", identity.certificatePem),
    secretFile("startup/server.key", identity.privateKeyPem),
    plainFile("startup/rootCA.pem", rootCertificatePem),
    ...processScripts("server"),
    jsonFile("local/log_config.json.default", { level: "info" } satisfies LogConfig),
    jsonFile("local/resources.json.default", resources),
    jsonFile("local/authorization.json.default", defaultAuthorizationPolicy),
    plainFile("readme.txt", readme(project, participant)),
  ];
}

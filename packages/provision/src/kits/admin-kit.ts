import type { FedAdmin } from "@flare-ts/contracts";
import type { AdminParticipant } from "../project/project.js";
import { certificateSettings } from "./certificate-settings.js";
import { identityFiles } from "./identity-files.js";
import { jsonFile, type KitFile, plainFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";
import { adminScript } from "./scripts/admin-script.js";
import { dockerScript } from "./scripts/docker-script.js";

/** Files of an admin's kit. */
export function adminFiles(init: KitInit<AdminParticipant>): KitFile[] {
  const { project, participant } = init;
  const { connectTo } = participant;
  const { dockerImage } = project.outputs;
  const fedAdmin: FedAdmin = {
    format_version: 1,
    admin: {
      project_name: project.name,
      username: participant.name,
      server_identity: project.server.name,
      scheme: "grpc",
      host: connectTo.host,
      port: connectTo.port,
      connection_security: connectTo.connectionSecurity,
      uid_source: "cert",
      with_file_transfer: true,
      upload_dir: "transfer",
      download_dir: "transfer",
      client_key: "client.key",
      client_cert: "client.crt",
      ca_cert: "rootCA.pem",
    },
    certificates: certificateSettings(project),
  };
  return [
    jsonFile("startup/fed_admin.json", fedAdmin),
    ...identityFiles(init),
    adminScript(),
    ...(dockerImage === undefined ? [] : [dockerScript(participant, dockerImage)]),
    plainFile("readme.txt", readme(project, participant)),
  ];
}

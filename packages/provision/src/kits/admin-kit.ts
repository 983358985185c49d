import type { FedAdmin } from "@flare-ts/contracts";
import type { AdminParticipant } from "../project/project.js";
import { jsonFile, type KitFile, plainFile, secretFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";

/** Files of an admin's kit. */
export function adminFiles({ project, participant, identity, rootCertificatePem }: KitInit<AdminParticipant>): KitFile[] {
  const fedAdmin: FedAdmin = {
    format_version: 1,
    admin: {
      project_name: project.name,
      username: participant.name,
      server_identity: project.server.name,
      scheme: "grpc",
      host: participant.connectTo.host,
      port: participant.connectTo.port,
      connection_security: "mtls",
      uid_source: "cert",
      with_file_transfer: true,
      upload_dir: "transfer",
      download_dir: "transfer",
      client_key: "client.key",
      client_cert: "client.crt",
      ca_cert: "rootCA.pem",
    },
  };
  return [
    jsonFile("startup/fed_admin.json", fedAdmin),
    plainFile("startup/client.crt", identity.certificatePem),
    secretFile("startup/client.key", identity.privateKeyPem),
    plainFile("startup/rootCA.pem", rootCertificatePem),
    plainFile("readme.txt", readme(project, participant)),
  ];
}

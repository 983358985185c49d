import { type ClientResourcesDocument, defaultAuthorizationPolicy, type FedClient, type LogConfig } from "@flare-ts/contracts";
import type { ClientParticipant } from "../project/project.js";
import { jsonFile, type KitFile, plainFile, secretFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";
import { processScripts } from "./scripts.js";
import { targetText } from "./target-text.js";

/** Files of a site's kit. */
export function clientFiles({ project, participant, identity, rootCertificatePem }: KitInit<ClientParticipant>): KitFile[] {
  const { connectTo, gpus, memPerGpuGiB } = participant;
  const fedClient: FedClient = {
    format_version: 2,
    servers: [
      {
        name: project.name,
        service: { target: targetText(connectTo.host, connectTo.port), scheme: "grpc" },
        identity: project.server.name,
      },
    ],
    client: {
      ssl_private_key: "client.key",
      ssl_cert: "client.crt",
      ssl_root_cert: "rootCA.pem",
      fqsn: participant.name,
      is_leaf: true,
      connection_security: "mtls",
    },
  };
  const resources: ClientResourcesDocument = {
    format_version: 2,
    components: [{ id: "resource_manager", args: { num_of_gpus: gpus, mem_per_gpu_in_GiB: memPerGpuGiB } }],
    datasets: {},
  };
  return [
    jsonFile("startup/fed_client.json", fedClient),
    plainFile("startup/client.crt", identity.certificatePem),
    secretFile("startup/client.key", identity.privateKeyPem),
    plainFile("startup/rootCA.pem", rootCertificatePem),
    ...processScripts("client"),
    jsonFile("local/log_config.json.default", { level: "info" } satisfies LogConfig),
    jsonFile("local/resources.json.default", resources),
    jsonFile("local/authorization.json.default", defaultAuthorizationPolicy),
    plainFile("readme.txt", readme(project, participant)),
  ];
}

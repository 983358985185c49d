import type { ClientResourcesDocument, FedClient, RelayResources } from "@flare-ts/contracts";
import type { ClientParticipant, ConnectTo, Project } from "../project/project.js";
import { authIdentityMap, authIdentityOf } from "./auth-identities.js";
import { certificateSettings } from "./certificate-settings.js";
import { commConfigFiles } from "./comm-config.js";
import { identityFiles } from "./identity-files.js";
import { jsonFile, type KitFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { processFiles } from "./process-files.js";
import { targetText } from "./target-text.js";
import { upstreamOf } from "./upstream.js";

/** Files of a site's kit. */
export function clientFiles(init: KitInit<ClientParticipant>): KitFile[] {
  const { project, participant } = init;
  const server = serverSeenBy(participant, project);
  const fedClient: FedClient = {
    format_version: 2,
    servers: [
      {
        name: project.name,
        service: { target: targetText(server.host, server.port), scheme: "grpc" },
        identity: project.server.name,
      },
    ],
    client: {
      ssl_private_key: "client.key",
      ssl_cert: "client.crt",
      ssl_root_cert: "rootCA.pem",
      fqsn: participant.fqsn,
      is_leaf: participant.isLeaf,
      connection_security: server.connectionSecurity,
      ...authIdentityOf(participant),
      ...authIdentityMap(project),
    },
    certificates: certificateSettings(project),
  };
  const isBehindRelay = participant.relay !== undefined;
  const relayResources: RelayResources | undefined = isBehindRelay
    ? { format_version: 2, relay_config: upstreamOf(project, participant) }
    : undefined;
  return [
    jsonFile("startup/fed_client.json", fedClient),
    ...identityFiles(init),
    jsonFile("local/resources.json.default", resourcesOf(participant)),
    jsonFile("local/privacy.json.sample", privacySample),
    ...(relayResources === undefined ? [] : [jsonFile("local/relay__resources.json", relayResources)]),
    ...commConfigFiles(participant.listeningHost, { isBehindRelay }),
    ...processFiles(init),
  ];
}

/** In force once it has the name `privacy.json`; scopes and filters to choose from. */
const privacySample = {
  scopes: [
    { name: "public", task_result_filters: [] },
    {
      name: "private",
      task_result_filters: [
        { name: "AllowMetrics", args: { metrics: ["accuracy", "loss"] } },
        { name: "PercentilePrivacy", args: { percentile: 10, gamma: 0.01 } },
      ],
    },
  ],
  default_scope: "private",
};

/** Behind a relay as well, a kit says where the server is; the relay stands in `local/relay__resources.json`. */
function serverSeenBy(
  { relay, connectTo, connectionSecurity }: ClientParticipant,
  { server }: Project,
): Pick<ConnectTo, "host" | "port" | "connectionSecurity"> {
  return relay === undefined ? connectTo : { host: server.hosts[0], port: server.port, connectionSecurity };
}

function resourcesOf({ gpus, memPerGpuGiB, allowLogStreaming }: ClientParticipant): ClientResourcesDocument {
  return {
    format_version: 2,
    allow_log_streaming: allowLogStreaming,
    components: [{ id: "resource_manager", args: { num_of_gpus: gpus, mem_per_gpu_in_GiB: memPerGpuGiB } }],
    datasets: {},
  };
}

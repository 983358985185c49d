import type { FedRelay, LogConfig } from "@flare-ts/contracts";
import type { RelayParticipant } from "../project/project.js";
import { authIdentityMap, authIdentityOf } from "./auth-identities.js";
import { certificateSettings } from "./certificate-settings.js";
import { commConfigFiles } from "./comm-config.js";
import { serviceUnit } from "./deploy/service-unit.js";
import { identityFiles } from "./identity-files.js";
import { jsonFile, type KitFile, plainFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";
import { processScripts } from "./scripts/process-scripts.js";
import { upstreamOf } from "./upstream.js";

/** Files of a relay's kit. */
export function relayFiles(init: KitInit<RelayParticipant>): KitFile[] {
  const { project, participant } = init;
  const fedRelay: FedRelay = {
    format_version: 2,
    project_name: project.name,
    identity: participant.name,
    ...authIdentityOf(participant),
    ...authIdentityMap(project, participant),
    server_identity: project.server.name,
    connect_to: upstreamOf(project, participant),
    certificates: certificateSettings(project),
  };
  return [
    jsonFile("startup/fed_relay.json", fedRelay),
    ...identityFiles(init),
    ...processScripts("relay"),
    jsonFile("local/log_config.json.default", { level: "info" } satisfies LogConfig),
    ...commConfigFiles(participant.listeningHost, { isBehindRelay: true }),
    serviceUnit(project, participant),
    plainFile("readme.txt", readme(project, participant)),
  ];
}

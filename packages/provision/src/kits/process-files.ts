import { defaultAuthorizationPolicy, type LogConfig } from "@flare-ts/contracts";
import type { ClientParticipant, ServerParticipant } from "../project/project.js";
import { kitContainerFiles } from "./deploy/container-files.js";
import { serviceUnit } from "./deploy/service-unit.js";
import { jsonFile, type KitFile, plainFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";
import { dockerScript } from "./scripts/docker-script.js";
import { processScripts } from "./scripts/process-scripts.js";

/** What the kits of a server and of a site have in common, beside who they are: scripts, settings, ways of deploying. */
export function processFiles({ project, participant }: KitInit<ServerParticipant | ClientParticipant>): KitFile[] {
  const { dockerImage, compose } = project.outputs;
  return [
    ...processScripts(participant.type),
    ...(dockerImage === undefined ? [] : [dockerScript(participant, dockerImage)]),
    jsonFile("local/log_config.json.default", { level: "info" } satisfies LogConfig),
    jsonFile("local/authorization.json.default", defaultAuthorizationPolicy),
    serviceUnit(project, participant),
    ...(compose === undefined ? [] : kitContainerFiles(project, participant, compose)),
    plainFile("readme.txt", readme(project, participant)),
  ];
}

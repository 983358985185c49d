import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import { pocFolder } from "./poc-folder.js";
import { preparedFederation } from "./select-services.js";

/** Lists the services of the POC federation with the state of their processes. */
export async function pocStatus(context: CommandContext): Promise<CommandOutput> {
  const federation = await preparedFederation(pocFolder(context.env));
  const { daemonStatus } = await import("@flare-ts/runtime");
  const rows = await Promise.all(federation.services.map(async (service) => ({ service, status: await daemonStatus(service.kit) })));
  return {
    data: {
      folder: federation.folder,
      project: federation.project,
      port: federation.port,
      admin: { name: federation.adminName, kit: federation.adminKit },
      services: rows.map(({ service, status }) => ({
        name: service.name,
        kind: service.kind,
        kit: service.kit,
        state: status.state,
        pid: status.pid ?? null,
        since_ms: status.sinceMs ?? null,
      })),
    },
    text: tableLines(
      [{ title: "SERVICE" }, { title: "KIND" }, { title: "STATE" }, { title: "PROCESS", align: "right" }, { title: "FOR", align: "right" }],
      rows.map(({ service, status }) => [
        service.name,
        service.kind,
        status.state,
        status.pid === undefined ? "-" : String(status.pid),
        status.sinceMs === undefined ? "-" : durationText(Date.now() - status.sinceMs),
      ]),
    ),
  };
}

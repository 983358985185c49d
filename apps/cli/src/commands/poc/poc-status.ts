import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import { pocFolder } from "./poc-folder.js";
import { preparedFederation } from "./select-services.js";

/** Lists the services of the POC federation with the state of their processes. */
export async function pocStatus(context: CommandContext): Promise<CommandOutput> {
  const federation = await preparedFederation(pocFolder(context.env));
  const { daemonStatus } = await import("@flare-ts/runtime");
  const rows = federation.services.map((service) => {
    const status = daemonStatus(service.kit);
    return { service, ...(status.state === "stopped" ? { state: status.state, pid: undefined, sinceMs: undefined } : status) };
  });
  return {
    data: {
      folder: federation.folder,
      project: federation.project,
      port: federation.port,
      admin: { name: federation.adminName, kit: federation.adminKit },
      services: rows.map(({ service, state, pid, sinceMs }) => ({
        name: service.name,
        kind: service.kind,
        kit: service.kit,
        state,
        pid: pid ?? null,
        since_ms: sinceMs ?? null,
      })),
    },
    text: tableLines(
      [{ title: "SERVICE" }, { title: "KIND" }, { title: "STATE" }, { title: "PROCESS", align: "right" }, { title: "FOR", align: "right" }],
      rows.map(({ service, state, pid, sinceMs }) => [
        service.name,
        service.kind,
        state,
        pid === undefined ? "-" : String(pid),
        sinceMs === undefined ? "-" : durationText(Date.now() - sinceMs),
      ]),
    ),
  };
}

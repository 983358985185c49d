import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import { pocFolder } from "./poc-folder.js";
import { preparedFederation } from "./select-services.js";

/** Lists the services of the POC federation with the state of their processes, and why one that was started does not run. */
export async function pocStatus(context: CommandContext): Promise<CommandOutput> {
  const federation = await preparedFederation(pocFolder(context.env));
  const { daemonStatus, lastError } = await import("@flare-ts/runtime");
  const rows = federation.services.map((service) => {
    const status = daemonStatus(service.kit);
    if (status.state === "stopped") return { service, state: status.state, error: lastError(service.kit) };
    const { state, pid, sinceMs, server } = status;
    return { service, state, pid, sinceMs, contact: server?.state === "connected" ? undefined : server?.reason };
  });
  const isAnyExplained = rows.some(({ error, contact }) => error !== undefined || contact !== undefined);
  return {
    data: {
      folder: federation.folder,
      project: federation.project,
      port: federation.port,
      admin: { name: federation.adminName, kit: federation.adminKit },
      services: rows.map(({ service, state, pid, sinceMs, error, contact }) => ({
        name: service.name,
        kind: service.kind,
        kit: service.kit,
        state,
        pid: pid ?? null,
        since_ms: sinceMs ?? null,
        error: error === undefined ? null : { code: error.code, message: error.message },
        server_contact: contact ?? null,
      })),
    },
    text: tableLines(
      [
        { title: "SERVICE" },
        { title: "KIND" },
        { title: "STATE" },
        { title: "PROCESS", align: "right" },
        { title: "FOR", align: "right" },
        ...(isAnyExplained ? [{ title: "REASON" }] : []),
      ],
      rows.map(({ service, state, pid, sinceMs, error, contact }) => [
        service.name,
        service.kind,
        state,
        pid === undefined ? "-" : String(pid),
        sinceMs === undefined ? "-" : durationText(Math.max(0, Date.now() - sinceMs)),
        error === undefined ? plainText(contact ?? "") : plainText(`error ${error.code}: ${error.message}`),
      ]),
    ),
  };
}

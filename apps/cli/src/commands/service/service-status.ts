import { resolve } from "node:path";
import type { DaemonStatus } from "@flare-ts/runtime";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { durationText } from "../../terminal/quantities.js";
import { requireFolderOf, type ServiceKind, serviceWord } from "./service-kind.js";

/**
 * Says whether a server or a site runs in the background.
 *
 * @throws FlareError `kit/not-a-folder`, `kit/wrong-type`.
 */
export async function serviceStatus(
  context: CommandContext,
  options: { readonly kind: ServiceKind; readonly kit: string },
): Promise<CommandOutput> {
  const kitDir = resolve(context.cwd, options.kit);
  requireFolderOf(options.kind, kitDir);
  const { daemonStatus, lastError } = await import("@flare-ts/runtime");
  const status = daemonStatus(kitDir);
  const word = serviceWord(options.kind);
  if (status.state === "stopped") {
    const error = lastError(kitDir);
    const { shutDown } = status;
    return {
      data: {
        kind: options.kind,
        kit: kitDir,
        state: "stopped",
        ...(error === undefined ? {} : { error: { ...error } }),
        ...(shutDown === undefined ? {} : { shut_down: { by: shutDown.by, at_ms: shutDown.atMs } }),
      },
      text: [
        `The ${word} does not run.`,
        ...(shutDown === undefined ? [] : [`${plainText(shutDown.by)} had it shut down on ${new Date(shutDown.atMs).toISOString()}.`]),
        ...(error === undefined ? [] : [`It ended with an error, ${error.code}: ${plainText(error.message)}`]),
      ],
    };
  }
  const { state, pid, sinceMs, port, server } = status;
  const how = state === "ready" ? "runs" : "is starting";
  return {
    data: {
      kind: options.kind,
      kit: kitDir,
      state,
      pid,
      since_ms: sinceMs,
      ...(port === undefined ? {} : { port }),
      ...(server === undefined ? {} : { server: { ...server } }),
    },
    text: [
      `The ${word} ${how}, process ${pid}${port === undefined ? "" : `, port ${port}`}, for ${durationText(Date.now() - sinceMs)}.`,
      ...(server === undefined ? [] : [contactText(server)]),
    ],
  };
}

function contactText({ state, sinceMs, reason }: NonNullable<Extract<DaemonStatus, { pid: number }>["server"]>): string {
  const since = `for ${durationText(Date.now() - sinceMs)}`;
  if (state === "connected") return `It is connected to its server ${since}.`;
  if (state === "refused") return `Its server does not let it in: ${reason ?? "no reason was given"}`;
  return `Its server cannot be reached ${since}: ${reason ?? "no reason was given"}; it goes on trying. \`flare preflight\` finds out why.`;
}

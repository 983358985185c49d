import { resolve } from "node:path";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { durationText } from "../../terminal/quantities.js";
import { type ServiceKind, serviceWord } from "./service-kind.js";

/** Says whether a server or a site runs in the background. */
export async function serviceStatus(
  context: CommandContext,
  options: { readonly kind: ServiceKind; readonly kit: string },
): Promise<CommandOutput> {
  const kitDir = resolve(context.cwd, options.kit);
  const { daemonStatus } = await import("@flare-ts/runtime");
  const status = await daemonStatus(kitDir);
  const since = status.sinceMs === undefined ? "" : `, for ${durationText(Date.now() - status.sinceMs)}`;
  const text =
    status.state === "running"
      ? `The ${serviceWord(options.kind)} runs, process ${status.pid}${since}.`
      : `The ${serviceWord(options.kind)} does not run.`;
  return {
    data: { kind: options.kind, kit: kitDir, state: status.state, pid: status.pid ?? null, since_ms: status.sinceMs ?? null },
    text: [text],
  };
}

import { resolve } from "node:path";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { requireFolderOf, type ServiceKind, serviceWord } from "./service-kind.js";

/**
 * Stops a server or a site that runs in the background, and waits until it has drained.
 *
 * @throws FlareError `kit/not-a-folder`, `kit/wrong-type`.
 */
export async function stopService(
  context: CommandContext,
  options: { readonly kind: ServiceKind; readonly kit: string; readonly timeoutMs: number },
): Promise<CommandOutput> {
  const kitDir = resolve(context.cwd, options.kit);
  requireFolderOf(options.kind, kitDir);
  const { stopDaemon } = await import("@flare-ts/runtime");
  const outcome = await stopDaemon(kitDir, { timeoutMs: options.timeoutMs });
  const word = serviceWord(options.kind);
  return {
    data: { kind: options.kind, kit: kitDir, outcome },
    text: [outcome === "stopped" ? `The ${word} has stopped.` : `The ${word} was not running.`],
  };
}

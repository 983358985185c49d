import { homedir } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../command-line/command-context.js";

/** Folder in which requests and approvals are recorded: `~/.flare`. */
export function flareHome({ env }: CommandContext): string {
  return join(env["HOME"] ?? homedir(), ".flare");
}

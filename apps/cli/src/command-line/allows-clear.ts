import type { CommandContext } from "./command-context.js";

/** Whether the environment lets clear text leave this machine, where a kit says `connection_security: clear`. */
export function allowsClear(context: CommandContext): boolean {
  return context.env["FLARE_ALLOW_CLEAR"] === "1";
}

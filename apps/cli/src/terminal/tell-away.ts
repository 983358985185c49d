import type { FlareError } from "@flare-ts/contracts";
import type { Terminal } from "./terminal.js";

/** Says that the server is away and that a command waits for it. */
export function tellAway(terminal: Terminal): (reason: FlareError) => void {
  return ({ message }) => terminal.err(`${message.replace(/\.?$/, ".")} This goes on when the server is back.`);
}

import type { FlareError } from "@flare-ts/contracts";
import type { Terminal } from "./terminal.js";

/** Says that the server is away and that a command waits for it. */
export function tellAway({ err }: Terminal): (reason: FlareError) => void {
  return ({ message }) => err(`${message.replace(/\.?$/, ".")} This goes on when the server is back.`);
}

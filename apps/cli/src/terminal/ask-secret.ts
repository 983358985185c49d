import { FlareError } from "@flare-ts/contracts";
import { askLine } from "./ask-line.js";

/** Whether there is somebody at a terminal who can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks for a text that is not shown while it is typed. @throws FlareError `internal/aborted` when none comes */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  const line = await askLine(question, { signal, isSecret: true });
  if (line === undefined) throw new FlareError("internal/aborted", "The question was not answered.");
  return line;
}

import { FlareError } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";

/**
 * Makes an error that nobody caught end the process with the exit status of a bug, upon which its watchdog starts it again,
 * and puts it into the log first. Node's own status, 1, would tell the watchdog that starting again is useless.
 *
 * @returns what takes it back.
 */
export function endOnCrash(logger: Logger): () => void {
  const end = (reason: unknown): void => {
    const bug = new FlareError("internal/bug", "An error was not caught.", { cause: reason });
    const stack = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    try {
      logger.error("process ends because of a bug", { error: errorField(reason), stack });
      process.stderr.write(`${stack}\n`);
    } finally {
      process.exit(bug.row.exit);
    }
  };
  process.on("uncaughtException", end);
  return () => void process.off("uncaughtException", end);
}

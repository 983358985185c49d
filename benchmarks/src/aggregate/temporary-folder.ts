import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FlareError } from "@flare-ts/contracts/errors";

/**
 * Lends a folder that is gone afterwards, in whatever way it ends: also when the process is told to stop, which ends it at once with
 * the shell's status for the signal.
 *
 * @param parent - existing folder. @default the system's folder for temporary files
 * @throws `file/not-found`
 */
export async function withTemporaryFolder<Result>(
  parent: string | undefined,
  use: (folder: string, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (parent !== undefined && !existsSync(parent)) {
    throw new FlareError("file/not-found", `The folder ${parent} does not exist.`, { facts: { file: parent } });
  }
  const folder = mkdtempSync(join(parent ?? tmpdir(), "flare-bench-"));
  const controller = new AbortController();
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  const stop = (name: NodeJS.Signals): void => {
    // Ends other processes, and what runs here at its next step; what is written meanwhile goes with the process.
    controller.abort();
    remove();
    process.exit(name === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    return await use(folder, controller.signal);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    remove();
  }
}

import { lstatSync, realpathSync } from "node:fs";
import { sep } from "node:path";
import { FlareError } from "@flare-ts/contracts";

/**
 * The path of a plain file of the job's own folder. The job process runs what a submitter sent: any other path that it names
 * would be handed to the server.
 *
 * @throws FlareError `runtime/bad-message`
 */
export function ownFile(path: string, folder: string): string {
  try {
    const real = realpathSync.native(path);
    if (real.startsWith(realpathSync.native(folder) + sep) && lstatSync(path).isFile()) return real;
  } catch {
    // Told below like any other path that is not right.
  }
  throw new FlareError("runtime/bad-message", "A job process may hand over plain files of its own folder only.", { facts: { path } });
}

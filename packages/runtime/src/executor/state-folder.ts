import { join } from "node:path";

/**
 * Where trainers of a job keep what they need when they are started anew, in a folder for each executor: it stays for as long as the job is at the
 * site.
 *
 * @param workspace - the job's
 */
export function stateFolder(workspace: string): string {
  return join(workspace, "state");
}

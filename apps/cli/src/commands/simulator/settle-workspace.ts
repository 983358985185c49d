import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LocalService } from "../../local-federation/local-service.js";
import { jobFolderName } from "./simulator-defaults.js";
import { scratchName } from "./simulator-workspace.js";

/**
 * Gives what a run has left the places where FLARE's users look: the job's folder of the server and of each site is `simulate_job`, and
 * the result, where one was downloaded, is in that of the server. Nothing runs any more.
 */
export async function settleWorkspace(workspace: string, services: readonly LocalService[], jobId: string): Promise<void> {
  for (const { kit } of services) await renameIfThere(join(kit, jobId), join(kit, jobFolderName));
  const scratch = join(workspace, scratchName);
  const result = join(scratch, jobId);
  const target = resultFolder(workspace, services);
  await mkdir(target, { recursive: true });
  for (const name of await namesIn(result)) await rename(join(result, name), join(target, name));
  await rm(scratch, { recursive: true, force: true });
}

/** Where the result of a run is. */
export function resultFolder(workspace: string, services: readonly LocalService[]): string {
  return join(services.find(({ kind }) => kind === "server")?.kit ?? workspace, jobFolderName);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(ifMissing([]));
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(ifMissing(undefined));
}

function ifMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}

import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, ownHolder } from "./process-holder.js";

/**
 * The path of a folder, or of a file, that is written before all of it is there; it is still to be made. Its name says which process
 * makes it, and what processes of this host and user that were killed have left beside it is removed, private keys among it.
 *
 * @param folder - where the files will stand in the end, which exists
 */
export async function draftBeside(folder: string): Promise<string> {
  const { pid, host, started, id } = ownHolder();
  const ending = `@${encodeURIComponent(host)}`;
  // A folder that cannot be listed may be written to all the same.
  for (const name of await readdir(folder).catch(() => [])) {
    const [, ofPid, ofStart] = (name.endsWith(ending) && /^\.wip-(\d+)-(\d+)-[0-9a-f-]{36}@/.exec(name)) || [];
    if (ofPid === undefined || isAlive({ pid: Number(ofPid), started: Number(ofStart), host })) continue;
    await removeOwn(join(folder, name));
  }
  return join(folder, `.wip-${pid}-${started}-${id}${ending}`);
}

/** Another user's is left alone: who can write to it could lead the removal elsewhere. */
async function removeOwn(draft: string): Promise<void> {
  const owner = await lstat(draft).catch(() => undefined);
  if (owner?.uid === (process.getuid?.() ?? owner?.uid)) await rm(draft, { recursive: true, force: true });
}

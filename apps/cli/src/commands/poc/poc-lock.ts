import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "@flare-ts/provision/kit";

/**
 * Keeps every other command that fills or removes the POC workspace out of it meanwhile: one that fails would take with it what the
 * other has made. The folder is made if it is not there, and goes if nothing is left in it.
 *
 * @throws FlareError `project/locked`, `file/unwritable`
 */
export async function withPocLock<T>(folder: string, use: () => Promise<T>): Promise<T> {
  const { lockWorkspace } = await import("@flare-ts/provision");
  await makeFolder(folder, { mode: 0o700 });
  const unlock = await lockWorkspace(folder);
  try {
    return await use();
  } finally {
    await unlock();
    await rmdir(folder).catch(() => {});
  }
}

/** Names of what is in the workspace, but for the lock. */
export async function namesBesideLock(folder: string): Promise<readonly string[]> {
  const { workspaceLockName } = await import("@flare-ts/provision");
  return (await readdir(folder)).filter((name) => !name.startsWith(workspaceLockName));
}

/** Removes what is in the workspace, but for the lock; last the file that says whose the rest is. */
export async function emptyBesideLock(folder: string, last: string): Promise<void> {
  const names = await namesBesideLock(folder);
  for (const name of [...names.filter((each) => each !== last), last]) await rm(join(folder, name), { recursive: true, force: true });
}

import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import { makeFolder } from "@flare-ts/provision/kit";
import type { CommandContext } from "../command-line/command-context.js";

/** How often a command that waits for another one looks whether it has ended. */
const lookMs = 100;

/** How long a command waits for another one, and whose it is. */
export interface FolderLockWait {
  readonly context: CommandContext;
  readonly timeoutMs: number;
  /** Hears once, and why, that the other one is waited for. */
  readonly onWait?: ((why: string) => void) | undefined;
}

/**
 * Keeps every other command that fills, starts or removes the workspace of a federation out of it meanwhile: one that fails would take with it
 * what the other has made. The folder is made if it is not there, and goes if nothing is left in it. A command that is at work there
 * already is waited for if `wait` says how long.
 *
 * @throws FlareError `project/locked`, `file/unwritable`
 */
export async function withFolderLock<T>(folder: string, use: () => Promise<T>, wait?: FolderLockWait): Promise<T> {
  const unlock = await lock(folder, wait);
  try {
    return await use();
  } finally {
    await unlock();
    await rmdir(folder).catch(() => {});
  }
}

async function lock(folder: string, wait: FolderLockWait | undefined): Promise<() => Promise<void>> {
  const { lockWorkspace } = await import("@flare-ts/provision");
  const deadline = performance.now() + (wait?.timeoutMs ?? 0);
  let isTold = false;
  for (;;) {
    // Anew each time: the other command may have removed it.
    await makeFolder(folder, { mode: 0o700 });
    try {
      return await lockWorkspace(folder);
    } catch (error) {
      const isHeld = error instanceof FlareError && error.code === "project/locked";
      if (!isHeld || wait === undefined || performance.now() >= deadline) throw error;
      if (!isTold) wait.onWait?.(error.message);
      isTold = true;
      wait.context.terminal.draw([`Waits: ${error.message}`]);
      await pause(lookMs, undefined, { signal: wait.context.signal });
      wait.context.terminal.draw([]);
    }
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

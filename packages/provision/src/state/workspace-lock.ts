import { link, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { readTextIfPresent } from "../kit/read-if-present.js";
import { isAlive, ownHolder, type ProcessHolder } from "./process-holder.js";

const attempts = 5;

/** Name of the lock's file in the folder; those that stand beside it for a moment begin with it. */
export const workspaceLockName = ".provision.lock";

/**
 * Keeps every other command that changes a project's folder out of it until the answered function is called. A lock whose
 * process has died is taken over.
 *
 * @throws FlareError `project/locked` when another run holds the lock.
 */
export async function lockWorkspace(projectDir: string): Promise<() => Promise<void>> {
  const path = join(projectDir, workspaceLockName);
  const self = ownHolder();
  const mine = `${path}.${self.id}`;
  try {
    await writeFile(mine, JSON.stringify(self), { flag: "wx", mode: 0o600 });
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await tryLink(mine, path)) return async () => await rm(path, { force: true });
      await removeStale(path, self);
    }
    throw locked(path);
  } finally {
    // Where it cannot be removed it could not be written, which is what is to be told.
    await rm(mine, { force: true }).catch(() => undefined);
  }
}

/** A link appears whole or not at all, so that nobody ever reads a lock that is half written. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

async function removeStale(path: string, self: ProcessHolder): Promise<void> {
  const text = await readTextIfPresent(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder === undefined || isAlive(holder)) throw locked(path, holder);
  // Moved away rather than deleted: of two runs that found the same dead lock, only one may remove it, and never a
  // lock that the other has taken since.
  const aside = `${path}.${self.id}.stale`;
  try {
    await rename(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw cause;
  }
  try {
    if ((await readTextIfPresent(aside)) !== text) await tryLink(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}

function parseHolder(text: string): ProcessHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProcessHolder> | null;
    const { pid, host, started, id } = value ?? {};
    if (!Number.isInteger(pid) || typeof host !== "string" || typeof started !== "number" || typeof id !== "string") return undefined;
    return { pid: Number(pid), host, started, id };
  } catch {
    return undefined;
  }
}

function locked(path: string, holder?: ProcessHolder): FlareError {
  const who = holder === undefined ? "Another command" : `process ${holder.pid} on ${holder.host}`;
  return new FlareError("project/locked", `${who} is at work in this workspace; its lock is ${path}.`, {
    facts: { file: path, ...(holder === undefined ? {} : { pid: holder.pid, host: holder.host }) },
  });
}

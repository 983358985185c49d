import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { makeFolder } from "@flare-ts/provision/kit";

/** The name in package.json by which a folder is known as one of ours. */
const folderName = "flare-ts-tfjs-gpu";

/** A folder that is being made, beside the place that it will take. */
export interface DraftFolder {
  readonly path: string;
  /** Gives it its place, and removes what was there. */
  putInPlace(): Promise<void>;
  /** Removes it; nothing once it is in place. */
  discard(): Promise<void>;
}

/** Where the draft for a folder is made by this process. */
export function draftPath(folder: string): string {
  return `${folder}.new-${process.pid}`;
}

/** @throws `gpu/foreign-folder` where something is in the place that we did not make */
export function checkPlace(folder: string): void {
  if (!existsSync(folder) || isOurs(folder)) return;
  throw new FlareError("gpu/foreign-folder", `${folder} holds something else.`, { facts: { folder } });
}

/** Makes the draft, an empty package for npm, and removes those that killed runs have left. @throws `file/unwritable` */
export async function createDraft(folder: string): Promise<DraftFolder> {
  const path = draftPath(folder);
  try {
    await makeFolder(dirname(folder));
    await removeAbandoned(folder);
    await mkdir(path);
    const manifest = { name: folderName, private: true, allowScripts: { "@tensorflow/tfjs-node-gpu": true } };
    await writeFile(join(path, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  } catch (cause) {
    throw new FlareError("file/unwritable", `${path} cannot be made.`, { facts: { path }, cause });
  }
  return {
    path,
    putInPlace: async () => {
      const old = `${folder}.old-${process.pid}`;
      const isReplacing = existsSync(folder);
      if (isReplacing) await rename(folder, old);
      try {
        await rename(path, folder);
      } catch (error) {
        if (isReplacing) await rename(old, folder);
        throw error;
      }
      await rm(old, { recursive: true, force: true });
    },
    // A tool that was killed may still be about to write.
    discard: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Whether the folder is empty or an earlier set-up. */
function isOurs(folder: string): boolean {
  try {
    if (readdirSync(folder).length === 0) return true;
    const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly name?: unknown };
    return name === folderName;
  } catch {
    return false;
  }
}

/** Removes what runs that were killed have left beside the folder. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of readdirSync(dirname(folder))) {
    const rest = name.startsWith(`${basename(folder)}.`) ? /^(?:new|old)-(\d+)$/.exec(name.slice(basename(folder).length + 1)) : null;
    if (rest !== null && !isAlive(Number(rest[1]))) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

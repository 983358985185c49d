import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";

/**
 * Makes a folder with those above it that are missing, and gives the path of the first one that was made; `undefined` when all of
 * them were there. A folder that was there keeps its mode.
 *
 * @param options.mode of every folder that is made @default 0o777 without what the umask takes
 * @throws FlareError `file/unwritable` with the path that stands in the way.
 */
export async function makeFolder(path: string, options: { readonly mode?: number } = {}): Promise<string | undefined> {
  const missing: string[] = [];
  // From the folder upwards until one is there. Node's own `recursive` never ends where a folder is there in which none can be made
  // and the system says ENOENT, as in /proc.
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    let problem = await makeOne(folder, options);
    // Once more: whoever makes the same folders may have made the one above just now.
    if (problem?.code === "ENOENT" && (await isThere(dirname(folder)))) {
      problem = await makeOne(folder, options);
      if (problem?.code === "ENOENT") throw unwritable(folder, problem);
    }
    if (problem === undefined || problem.code === "EEXIST") {
      if (problem !== undefined) await requireFolder(folder, problem);
      const first = problem === undefined ? folder : missing.at(-1);
      for (const below of missing.toReversed()) await makeBelow(below, options);
      return first;
    }
    if (problem.code !== "ENOENT") throw unwritable(folder, problem);
    missing.push(folder);
  }
}

async function makeBelow(folder: string, options: { readonly mode?: number }): Promise<void> {
  const problem = await makeOne(folder, options);
  if (problem === undefined) return;
  // Somebody else was quicker.
  if (problem.code !== "EEXIST") throw unwritable(folder, problem);
  await requireFolder(folder, problem);
}

async function makeOne(folder: string, options: { readonly mode?: number }): Promise<NodeJS.ErrnoException | undefined> {
  return await mkdir(folder, options).then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause,
  );
}

async function requireFolder(path: string, problem: NodeJS.ErrnoException): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) throw unwritable(path, problem);
}

function unwritable(path: string, cause: NodeJS.ErrnoException): FlareError {
  const { code: reason = "unknown" } = cause;
  const why = words[reason] ?? reason;
  return new FlareError("file/unwritable", `The folder ${path} cannot be made: ${why}.`, { cause, facts: { file: path, reason } });
}

const words: Readonly<Record<string, string>> = {
  EEXIST: "a file is in its place",
  ENOTDIR: "a file is in the place of a folder above it",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "what it would be in can only be read",
  ENOSPC: "no space is left",
  ENOENT: "the system makes no folder there",
};

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

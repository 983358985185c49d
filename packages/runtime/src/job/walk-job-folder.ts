import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ContentHash, jobPathClash, jobPathProblem, limits, type Problem } from "@flare-ts/contracts";
import type { JobFolderFile } from "./job-folder.js";

/** Files found below a folder, and what must not be there. */
export interface WalkedFolder {
  /** Sorted by path. */
  readonly files: readonly JobFolderFile[];
  readonly problems: readonly Problem[];
}

/**
 * Lists and hashes every regular file below a job folder. A link to a file inside the folder counts as that file; a link
 * that leaves the folder, a link to a folder, a socket or a device is a problem.
 *
 * Aborting stops the walk with the signal's reason.
 */
export async function walkJobFolder(folder: string, signal?: AbortSignal): Promise<WalkedFolder> {
  const root = await realpath(folder);
  const problems: Problem[] = [];
  const found: FoundFile[] = [];
  await collect({ root, folder: root, prefix: "", found, problems, signal });
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  problems.push(...listProblems(found));
  if (problems.length > 0) return { files: [], problems };
  const files: JobFolderFile[] = [];
  for (const file of found) {
    files.push({ path: file.path, size: file.size, sha256: await hashFile(file.absolutePath, signal), absolutePath: file.absolutePath });
  }
  return { files, problems };
}

interface FoundFile {
  readonly path: string;
  readonly absolutePath: string;
  readonly size: number;
}

interface Walk {
  readonly root: string;
  readonly folder: string;
  readonly prefix: string;
  readonly found: FoundFile[];
  readonly problems: Problem[];
  readonly signal: AbortSignal | undefined;
}

async function collect(walk: Walk): Promise<void> {
  for (const name of await readdir(walk.folder)) {
    walk.signal?.throwIfAborted();
    if (walk.found.length > limits.jobFiles) return;
    const path = walk.prefix + name;
    const absolutePath = join(walk.folder, name);
    const entry = await ifThere(lstat(absolutePath));
    if (entry === undefined) {
      // Node hands such a name over with other characters in it, by which nothing is found.
      const isGarbled = name.includes("\ufffd");
      walk.problems.push({ file: path, message: isGarbled ? "has a name that is not UTF-8" : "went away while the folder was read" });
    } else if (entry.isDirectory()) {
      await collect({ ...walk, folder: absolutePath, prefix: `${path}/` });
    } else if (entry.isFile()) {
      walk.found.push({ path, absolutePath, size: entry.size });
    } else if (entry.isSymbolicLink()) {
      await collectLink(walk, path, absolutePath);
    } else {
      walk.problems.push({ file: path, message: "is neither a file nor a folder" });
    }
  }
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  return await found.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function collectLink(walk: Walk, path: string, absolutePath: string): Promise<void> {
  const target = await realpath(absolutePath).catch(() => undefined);
  const entry = target === undefined ? undefined : await ifThere(stat(target));
  if (target === undefined || entry === undefined) {
    walk.problems.push({ file: path, message: "is a link to something that does not exist" });
  } else if (!target.startsWith(walk.root + sep)) {
    walk.problems.push({ file: path, message: "is a link that leaves the job folder" });
  } else if (entry.isFile()) {
    walk.found.push({ path, absolutePath: target, size: entry.size });
  } else {
    walk.problems.push({ file: path, message: "is a link to a folder; copy the folder instead" });
  }
}

function listProblems(found: readonly FoundFile[]): Problem[] {
  if (found.length > limits.jobFiles) return [{ message: `the job has more than ${limits.jobFiles} files` }];
  const problems: Problem[] = [];
  for (const { path, size } of found) {
    const wrong = jobPathProblem(path);
    if (wrong !== undefined) problems.push({ file: path, message: `the path ${wrong}` });
    if (size > limits.jobFileBytes)
      problems.push({ file: path, message: `has ${size} bytes; a file of a job may have ${limits.jobFileBytes}` });
  }
  const clash = jobPathClash(found.map(({ path }) => path));
  if (clash !== undefined) {
    problems.push({ file: clash[1], message: `cannot lie beside '${clash[0]}' on a file system that ignores the case of letters` });
  }
  return problems;
}

async function hashFile(path: string, signal: AbortSignal | undefined): Promise<ContentHash> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex") as ContentHash;
}

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { runtimeFolder } from "../installed.js";

export interface PermissionInit {
  /** The one folder in which the process may write. */
  readonly workspace: string;
  /** Further files and folders that it may read. */
  readonly readable: readonly string[];
  /** Whether it may start programs. They are not bound by these permissions. */
  readonly mayStartProcesses: boolean;
  /** Whether it may start threads. A thread that is given flags of its own is not bound by these permissions. */
  readonly mayStartThreads: boolean;
}

/**
 * Flags that put Node's permission model on: the process reads its workspace, the code of FLARE-TS and of what it depends on,
 * and what is named, and nothing else; it writes in its workspace only. Node 26 also denies the network.
 *
 * `--permission` is taken by every Node from 22.13 on; its older name is gone since 24.
 */
export function permissionFlags(init: PermissionInit): readonly string[] {
  const { workspace, readable, mayStartProcesses, mayStartThreads } = init;
  return [
    "--permission",
    ...outermost([workspace, ...readable, ...codeFolders()].flatMap(withRealPath)).map((path) => `--allow-fs-read=${path}`),
    ...outermost(withRealPath(workspace)).map((path) => `--allow-fs-write=${path}`),
    ...(mayStartProcesses ? ["--allow-child-process"] : []),
    ...(mayStartThreads ? ["--allow-worker"] : []),
    // Node warns of both in each process; that is known here, and would stand at the top of each job's log.
    "--disable-warning=SecurityWarning",
  ];
}

/** Where the code lies that a job process loads: each `node_modules` from here upwards, and our own packages behind its links. */
function codeFolders(): readonly string[] {
  const modules = ancestors(runtimeFolder)
    .map((folder) => join(folder, "node_modules"))
    .filter((folder) => existsSync(folder));
  return [runtimeFolder, ...modules, ...modules.flatMap(linkedPackages)].flatMap(packageParts);
}

/** In a workspace the packages of this scope are links to folders beside each other. */
function linkedPackages(modules: string): readonly string[] {
  const scope = join(modules, "@flare-ts");
  if (!existsSync(scope)) return [];
  return readdirSync(scope)
    .map((name) => join(scope, name))
    .filter((link) => existsSync(link))
    .map((link) => realpathSync(link));
}

/** Of a package of ours only what is published; of anything else everything. */
function packageParts(folder: string): readonly string[] {
  if (folder.endsWith("node_modules")) return [folder];
  return ["dist", "package.json", "node_modules"].map((name) => join(folder, name)).filter((path) => existsSync(path));
}

function ancestors(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

/** Each path that does not lie in another one; Node 22.13 dies of a path that was allowed before. */
function outermost(paths: readonly string[]): readonly string[] {
  const sorted = [...new Set(paths.map((path) => resolve(path)))].sort();
  return sorted.filter((path) => !sorted.some((other) => other !== path && path.startsWith(`${other}${sep}`)));
}

function withRealPath(path: string): readonly string[] {
  return existsSync(path) ? [path, realpathSync(path)] : [path];
}

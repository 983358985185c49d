import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { requireFromRuntime, runtimeFolder } from "../installed.js";

export interface TrainerPermissionsInit {
  /** The one folder in which the trainer may write. */
  readonly workspace: string;
  /** Data sets, and the folder of the models. */
  readonly readable: readonly string[];
}

/**
 * Flags that put a trainer under Node's permission model: it reads the job's workspace, the installed code and what is named,
 * writes in the workspace, starts no process and loads no native code. Node 26 also denies the network.
 */
export function trainerPermissions({ workspace, readable }: TrainerPermissionsInit): readonly string[] {
  const reads = new Set([...[workspace, ...readable].flatMap(withRealPath), ...codeFolders()]);
  return [
    "--permission",
    ...[...reads].map((path) => `--allow-fs-read=${path}`),
    ...withRealPath(workspace).map((path) => `--allow-fs-write=${path}`),
    // Before 22.15 the hook for imports needs a thread, which has the same permissions.
    ...(hasSyncHooks() ? [] : ["--allow-worker"]),
  ];
}

function hasSyncHooks(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 22 || minor >= 15;
}

/** What is published of the packages that the Client API consists of, and each `node_modules` that they are found in. */
function codeFolders(): readonly string[] {
  const others = ["@flare-ts/aggregator", "@flare-ts/contracts"].map((name) => dirname(dirname(requireFromRuntime.resolve(name))));
  const roots = [runtimeFolder, ...others];
  return [...roots.flatMap((root) => [join(root, "dist"), join(root, "package.json")]), ...roots.flatMap(moduleFolders)];
}

function moduleFolders(folder: string): readonly string[] {
  const found = join(folder, "node_modules");
  const above = dirname(folder) === folder ? [] : moduleFolders(dirname(folder));
  return isThere(found) ? [found, ...above] : above;
}

/** A folder that a job process under the permission model may not even ask for is none that it passes on. */
function isThere(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
}

function withRealPath(path: string): readonly string[] {
  try {
    return [...new Set([path, realpathSync(path)])];
  } catch {
    return [path];
  }
}

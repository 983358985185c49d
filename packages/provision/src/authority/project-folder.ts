import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";

/** Where a project's state is. */
export interface ProjectFolderInit {
  /** Folder that keeps the projects. */
  readonly workspace: string;
  /** @default the only project in the workspace */
  readonly project?: string | undefined;
}

/**
 * Finds the folder of a project, `<workspace>/<project>`.
 *
 * @throws FlareError `project/not-provisioned` when there is none, or several and none is named.
 */
export async function findProjectFolder({ workspace, project }: ProjectFolderInit): Promise<string> {
  const dir = resolve(workspace);
  if (project !== undefined) {
    if (await hasState(join(dir, project))) return join(dir, project);
    throw notProvisioned(`There is no project '${project}' in ${dir}`, dir);
  }
  const names = await readdir(dir).catch(() => []);
  const found = (await Promise.all(names.map(async (name) => ((await hasState(join(dir, name))) ? [name] : [])))).flat();
  const [only] = found;
  if (only === undefined) throw notProvisioned(`There is no project in ${dir}`, dir);
  if (found.length > 1) throw notProvisioned(`There are several projects in ${dir}: ${found.sort().join(", ")}; name one`, dir);
  return join(dir, only);
}

async function hasState(dir: string): Promise<boolean> {
  return (await stat(join(dir, "state")).catch(() => undefined))?.isDirectory() === true;
}

function notProvisioned(what: string, dir: string): FlareError {
  return new FlareError("project/not-provisioned", `${what}.`, { facts: { workspace: dir } });
}

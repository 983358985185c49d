import { accessSync, constants } from "node:fs";
import { delimiter, resolve } from "node:path";

/** Those of the programs, names or absolute paths, that are not there; names are looked for in the folders of the PATH. */
export function missingTools(tools: readonly string[], path: string | undefined): readonly string[] {
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  return tools.filter((tool) => !folders.some((folder) => isExecutable(resolve(folder, tool))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

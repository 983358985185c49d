import type { Project } from "../project/project.js";
import { projectContainerFiles } from "./deploy/container-files.js";
import type { KitFile } from "./kit-file.js";
import { startAllScript } from "./scripts/start-all-script.js";

/** Files that lie beside the kits and belong to none: what runs a whole project on one machine, where it was asked for. */
export function projectFiles(project: Project): readonly KitFile[] {
  const { startAll, compose } = project.outputs;
  return [...(startAll ? [startAllScript(project)] : []), ...(compose === undefined ? [] : projectContainerFiles(project, compose))];
}

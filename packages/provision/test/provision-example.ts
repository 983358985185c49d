import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProvisionInit, type ProvisionResult, provision } from "../src/provision.js";
import { projectText } from "./project-text.js";

let written = 0;

/** Provisions the example project, changed as asked, in a folder's `workspace`. Two at once never read half a project file. */
export async function provisionExample(
  dir: string,
  replacements: Parameters<typeof projectText>[0] = {},
  rest: Partial<Pick<ProvisionInit, "archives" | "now" | "signal" | "caKey">> = {},
): Promise<ProvisionResult> {
  const projectFile = join(dir, "project.yml");
  const draft = `${projectFile}.${written++}`;
  await writeFile(draft, projectText(replacements));
  await rename(draft, projectFile);
  return await provision({ projectFile, workspace: join(dir, "workspace"), caKey: "clear", ...rest });
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProvisionInit, type ProvisionResult, provision } from "../src/provision.js";
import { projectText } from "./project-text.js";

/** Provisions the example project, changed as asked, in a folder's `workspace`. */
export async function provisionExample(
  dir: string,
  replacements: Parameters<typeof projectText>[0] = {},
  rest: Partial<Pick<ProvisionInit, "archives" | "now" | "signal" | "caKey">> = {},
): Promise<ProvisionResult> {
  const projectFile = join(dir, "project.yml");
  await writeFile(projectFile, projectText(replacements));
  return await provision({ projectFile, workspace: join(dir, "workspace"), caKey: "clear", ...rest });
}

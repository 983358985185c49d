import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext } from "../command-line/command-context.js";
import { readPocFederation } from "../commands/poc/poc-federation.js";
import { pocFolder } from "../commands/poc/poc-folder.js";

/** Environment variables that name an admin's startup kit, the first that is set counts; the second is FLARE's. */
const kitVariables = ["FLARE_STARTUP_KIT_DIR", "NVFLARE_STARTUP_KIT_DIR"] as const;

/** The sentence of the help that says where the kit comes from. */
export const adminKitHelp = `
The admin's startup kit is the first of: --startup-kit, ${kitVariables.join(", ")}, the admin of the POC federation.
`;

/**
 * Finds the startup kit of the admin who gives a command.
 *
 * @throws FlareError `cli/no-startup-kit`, `file/not-found`.
 */
export async function findAdminKit(context: CommandContext, flag: string | undefined): Promise<string> {
  const named = [["--startup-kit", flag] as const, ...kitVariables.map((name) => [name, context.env[name]] as const)];
  for (const [source, folder] of named) {
    if (folder === undefined || folder === "") continue;
    const path = resolve(context.cwd, folder);
    if (!(await isFolder(path)))
      throw new FlareError("file/not-found", `${source} names ${path}, which is not a folder.`, { facts: { path, source } });
    return path;
  }
  const federation = await readPocFederation(pocFolder(context.env));
  if (federation !== undefined) return federation.adminKit;
  throw new FlareError("cli/no-startup-kit", "No admin's startup kit is named, and there is no POC federation.");
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

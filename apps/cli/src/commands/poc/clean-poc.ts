import { rm } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { pocDefaults } from "./poc-defaults.js";
import { pocFolder } from "./poc-folder.js";
import { runningServices } from "./running-services.js";
import { preparedFederation } from "./select-services.js";
import { stopServices } from "./stop-poc.js";

/** Removes the POC workspace. */
export async function cleanPoc(context: CommandContext, options: { readonly isForced: boolean }): Promise<CommandOutput> {
  const federation = await preparedFederation(pocFolder(context.env));
  const running = await runningServices(federation.services);
  if (running.length > 0) {
    if (!options.isForced) throw new FlareError("poc/running", `Still running: ${running.join(", ")}.`, { facts: { running } });
    await stopServices(federation.services, pocDefaults.stopSeconds * 1000);
  }
  await rm(federation.folder, { recursive: true, force: true });
  return { data: { folder: federation.folder }, text: [`Removed ${federation.folder}.`] };
}

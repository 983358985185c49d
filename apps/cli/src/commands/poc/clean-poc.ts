import { FlareError } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { emptyBesideLock, withFolderLock } from "../../local-federation/folder-lock.js";
import { runningServices } from "../../local-federation/running-services.js";
import { stopServices } from "../../local-federation/stop-services.js";
import { pocDefaults } from "./poc-defaults.js";
import { type PocFederation, pocFileName } from "./poc-federation.js";
import { pocFolder } from "./poc-folder.js";
import { preparedFederation } from "./select-services.js";

/** Removes the POC workspace. */
export async function cleanPoc(context: CommandContext, options: { readonly isForced: boolean }): Promise<CommandOutput> {
  const federation = await preparedFederation(pocFolder(context.env));
  await withFolderLock(federation.folder, () => removeFederation(federation, options.isForced));
  return { data: { folder: federation.folder }, text: [`Removed ${federation.folder}.`] };
}

async function removeFederation(federation: PocFederation, isForced: boolean): Promise<void> {
  const running = await runningServices(federation.services);
  if (running.length > 0) {
    if (!isForced) throw new FlareError("poc/running", `Still running: ${running.join(", ")}.`, { facts: { running } });
    await stopServices(federation.services, pocDefaults.stopSeconds * 1000);
  }
  await emptyBesideLock(federation.folder, pocFileName);
}

import { realpath } from "node:fs/promises";
import type { LocalService } from "../../local-federation/local-service.js";
import { stopServices } from "../../local-federation/stop-services.js";
import { simulatorDefaults } from "./simulator-defaults.js";

/**
 * Stops the processes of a run, and ends what training scripts have left whose site was killed: no start of that site will do it.
 *
 * @returns names of the services that ran
 */
export async function endProcesses(workspace: string, services: readonly LocalService[]): Promise<readonly string[]> {
  const outcomes = await stopServices(services, simulatorDefaults.stopSeconds * 1000);
  const { endTrainersBelow } = await import("@flare-ts/runtime");
  // The scripts know their folder by one of its names.
  for (const folder of new Set([workspace, await realpath(workspace)])) await endTrainersBelow(folder);
  return outcomes.filter(({ outcome }) => outcome === "stopped").map(({ name }) => name);
}

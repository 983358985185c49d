import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { SimulationPlan } from "./plan-simulation.js";
import type { SimulatedDataset } from "./simulator-arguments.js";

/**
 * Where each site finds its data sets.
 *
 * @throws FlareError `file/not-found`
 */
export async function datasetsBySite(
  cwd: string,
  { sites }: SimulationPlan,
  datasets: readonly SimulatedDataset[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const { name: site } of sites) {
    const paths: Record<string, string> = {};
    for (const { name, path } of datasets) {
      const place = resolve(cwd, path.replaceAll("{site}", site));
      if ((await stat(place).catch(() => undefined)) === undefined) {
        throw new FlareError("file/not-found", `There is no ${place}, where ${site} would find the data set '${name}'.`, {
          facts: { path: place, site, dataset: name },
        });
      }
      paths[name] = place;
    }
    found.set(site, paths);
  }
  return found;
}

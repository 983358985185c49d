import { availableParallelism } from "node:os";
import { byteSizeText } from "@flare-ts/contracts";
import type { ClientResources } from "@flare-ts/provision/kit";
import { memoryOfMachine } from "../budget/memory-plan.js";
import type { Logger } from "../logging/logger.js";
import { gpuNames } from "./gpu-names.js";

/** What a site offers to jobs. */
export interface OfferedResources {
  /** GPUs, by the names that CUDA knows them by. */
  readonly devices: readonly string[];
  /** What each of them has. */
  readonly memPerGpuGiB: number;
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface OfferedResourcesComponents {
  readonly logger: Logger;
  /** The site's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the site's process may use of its machine. @default what the system says of it */
  readonly machine?: { readonly cpus: number; readonly memoryBytes: number };
}

/**
 * What a site offers: what `local/resources.json` says, else the processors and the memory that the system leaves to its process. An operator
 * may offer more than there is, and reads of it in the log.
 */
export function offeredResources(components: OfferedResourcesComponents, resources: ClientResources): OfferedResources {
  const { logger, environment, machine = { cpus: availableParallelism(), memoryBytes: memoryOfMachine() } } = components;
  const { gpus, memPerGpuGiB, cpus = machine.cpus, memoryBytes = machine.memoryBytes } = resources;
  const devices = gpuNames(gpus, environment["CUDA_VISIBLE_DEVICES"]);
  if (devices.length < gpus)
    logger.warn("CUDA_VISIBLE_DEVICES names fewer GPUs than num_of_gpus", { named: devices.length, offered: gpus });
  if (cpus > machine.cpus) logger.warn("num_of_cpus is more than this process may use", { offered: cpus, here: machine.cpus });
  if (memoryBytes > machine.memoryBytes) {
    const offered = { offered: byteSizeText(memoryBytes), here: byteSizeText(machine.memoryBytes) };
    logger.warn("the resource manager's memory is more than this process may use", offered);
  }
  return { devices, memPerGpuGiB, cpus, memoryBytes };
}

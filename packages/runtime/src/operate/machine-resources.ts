import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import process from "node:process";
import { memoryOfMachine } from "../budget/memory-plan.js";

/** GPUs that a site offers to jobs. */
export interface OfferedGpus {
  readonly offered: number;
  /** Of these, those that no job has. */
  readonly free: number;
  readonly memPerGpuGiB: number;
}

/** Of its processors and its memory, what a site has for jobs that ask for some. */
export interface OfferedToJobs {
  readonly cpus: number;
  readonly freeCpus: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
}

/** What a server or a site says of what it runs on. */
export interface MachineResources {
  readonly platform: string;
  /** Processors that the process may use. */
  readonly cpus: number;
  /** Memory that the process may use, and what of it is free. */
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** The disk of its workspace. */
  readonly diskBytes: number;
  readonly freeDiskBytes: number;
  /** What its operator lets it hold; `null` where that was not said. */
  readonly maxMemoryBytes: number | null;
  readonly maxDiskBytes: number | null;
  /** `null` at a server. */
  readonly gpus: OfferedGpus | null;
  /** `null` at a server; absent where the site's version does not tell. */
  readonly forJobs?: OfferedToJobs | null;
}

export interface MachineResourcesInit {
  readonly workspace: string;
  readonly maxMemoryBytes: number | undefined;
  readonly maxDiskBytes: number | undefined;
  readonly gpus: OfferedGpus | undefined;
  readonly forJobs: OfferedToJobs | undefined;
}

/** Looks at the machine now: nothing of its files, its processes or its people is told. */
export async function machineResources(init: MachineResourcesInit): Promise<MachineResources> {
  const { workspace, maxMemoryBytes = null, maxDiskBytes = null, gpus = null, forJobs = null } = init;
  const { blocks, bavail, bsize } = await statfs(workspace);
  const memoryBytes = memoryOfMachine();
  return {
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    memoryBytes,
    freeMemoryBytes: Math.min(memoryBytes, process.availableMemory()),
    diskBytes: blocks * bsize,
    freeDiskBytes: bavail * bsize,
    maxMemoryBytes,
    maxDiskBytes,
    gpus,
    forJobs,
  };
}

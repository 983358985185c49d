import type { GpuRequest } from "@flare-ts/contracts";
import type { Admission } from "../budget/admission.js";
import type { GpuPool } from "./gpu-pool.js";

export interface JobPlacesComponents {
  /** Lets jobs in as the site's memory allows. */
  readonly memory: Pick<Admission, "enter">;
  readonly gpus: GpuPool;
}

/** What one job takes up at its site. */
export interface JobPlace {
  /** Resolves when the job has the GPUs that it asks for; see `GpuTurn`. */
  takeGpus(request: GpuRequest, signal: AbortSignal, onWait: (reason: string) => void): Promise<readonly string[]>;
  leave(): void;
}

/**
 * Lets jobs in as a site's memory and GPUs allow, in the order in which the server names them. That is the same at every site, so that two sites
 * never wait for each other's jobs.
 */
export class JobPlaces {
  readonly #parts: JobPlacesComponents;

  constructor(components: JobPlacesComponents) {
    this.#parts = components;
  }

  /** @throws the reason of the signal */
  async enter(jobId: string, signal: AbortSignal, onWait: (reason: string) => void): Promise<JobPlace> {
    const { memory, gpus } = this.#parts;
    const turn = gpus.enter(jobId);
    try {
      const admitted = await memory.enter({ who: jobId, what: "job", diskBytes: 0 }, signal, onWait);
      return {
        takeGpus: (request, gpuSignal, hearWhy) => turn.take(request, gpuSignal, hearWhy),
        leave: () => {
          turn.leave();
          admitted.leave();
        },
      };
    } catch (reason) {
      turn.leave();
      throw reason;
    }
  }
}

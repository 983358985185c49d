import type { ResourceRequest } from "@flare-ts/contracts";
import type { Admission } from "../budget/admission.js";
import type { JobResources, ResourcePool } from "./resource-pool.js";

export interface JobPlacesComponents {
  /** Lets jobs in as the site's memory allows. */
  readonly memory: Pick<Admission, "enter">;
  readonly resources: ResourcePool;
}

/** What one job takes up at its site. */
export interface JobPlace {
  /** Resolves when the job has what it asks for; see `ResourceTurn`. */
  take(request: ResourceRequest, signal: AbortSignal, onWait: (reason: string) => void): Promise<JobResources>;
  leave(): void;
}

/**
 * Lets jobs in as a site's budget of memory, and what it offers them, allow, in the order in which the server names them. That is the same at every site, so that two sites
 * never wait for each other's jobs.
 */
export class JobPlaces {
  readonly #parts: JobPlacesComponents;

  constructor(components: JobPlacesComponents) {
    this.#parts = components;
  }

  /** @throws the reason of the signal */
  async enter(jobId: string, signal: AbortSignal, onWait: (reason: string) => void): Promise<JobPlace> {
    const { memory, resources } = this.#parts;
    const turn = resources.enter(jobId);
    try {
      const admitted = await memory.enter({ who: jobId, what: "job", diskBytes: 0 }, signal, onWait);
      return {
        take: (request, takeSignal, hearWhy) => turn.take(request, takeSignal, hearWhy),
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

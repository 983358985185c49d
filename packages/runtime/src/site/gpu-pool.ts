import { FlareError, type GpuRequest } from "@flare-ts/contracts";

export interface GpuPoolInit {
  readonly site: string;
  /** What the site offers, by the names that CUDA knows them by. */
  readonly devices: readonly string[];
  /** What each of them has. */
  readonly memPerGpuGiB: number;
}

/** A job's turn at the GPUs of its site. */
export interface GpuTurn {
  /**
   * Resolves when the job has its GPUs, which stay its own until it leaves; asked again it gives the same.
   *
   * @param onWait - hears why it waits, each time that the reason becomes another one
   * @throws FlareError `job/resources-lacking` when the site never has so many; the reason of the signal
   */
  take(request: GpuRequest, signal: AbortSignal, onWait: (reason: string) => void): Promise<readonly string[]>;
  /** The job is over here, or does not come. */
  leave(): void;
}

interface Waiting {
  readonly gpus: number;
  readonly admit: () => void;
  readonly onWait: (reason: string) => void;
  reason: string;
}

interface Turn {
  readonly who: string;
  held: readonly string[] | undefined;
  waiting: Waiting | undefined;
}

/** Jobs that are named to one that waits for them. */
const shownJobs = 3;

/**
 * Shares the GPUs of a site among its jobs, each to one job at a time. Whoever came first gets its GPUs first, however few a later one asks
 * for: jobs come in the same order at every site, so that no two of them wait for each other's.
 */
export class GpuPool {
  readonly #init: GpuPoolInit;
  /** In the order in which the jobs came; a job that needs none is not in it any more. */
  readonly #turns: Turn[] = [];

  constructor(init: GpuPoolInit) {
    this.#init = init;
  }

  /** Puts a job in the row; what it needs is known later. */
  enter(who: string): GpuTurn {
    const turn: Turn = { who, held: undefined, waiting: undefined };
    this.#turns.push(turn);
    return {
      take: (request, signal, onWait) => this.#take(turn, request, signal, onWait),
      leave: () => this.#leave(turn),
    };
  }

  /** What there is, and how many of them no job has now. */
  offer(): { readonly offered: number; readonly free: number; readonly memPerGpuGiB: number } {
    const { devices, memPerGpuGiB } = this.#init;
    return { offered: devices.length, free: this.#free().length, memPerGpuGiB };
  }

  async #take(
    turn: Turn,
    { gpus, memPerGpuGiB }: GpuRequest,
    signal: AbortSignal,
    onWait: (reason: string) => void,
  ): Promise<readonly string[]> {
    if (turn.held !== undefined) return turn.held;
    const { site, devices, memPerGpuGiB: memory } = this.#init;
    if (gpus > devices.length || (gpus > 0 && memPerGpuGiB > memory)) {
      const wanted = `${gpus} with ${memPerGpuGiB} GiB each`;
      throw new FlareError(
        "job/resources-lacking",
        `The job asks ${site} for GPUs: ${wanted}; it offers ${devices.length} with ${memory} GiB.`,
        {
          facts: { site, gpus, memPerGpuGiB, offered: devices.length, offeredGiB: memory },
        },
      );
    }
    if (gpus === 0) {
      this.#leave(turn);
      return [];
    }
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        turn.waiting = undefined;
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
      const admit = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      turn.waiting = { gpus, admit, onWait, reason: "" };
      this.#look();
    });
    return turn.held ?? [];
  }

  #leave(turn: Turn): void {
    const at = this.#turns.indexOf(turn);
    if (at < 0) return;
    this.#turns.splice(at, 1);
    this.#look();
  }

  #look(): void {
    this.#admitWhoCan();
    this.#turns.forEach(({ waiting }, at) => {
      const reason = waiting === undefined ? "" : this.#reason(at, waiting);
      if (waiting === undefined || waiting.reason === reason) return;
      waiting.reason = reason;
      waiting.onWait(reason);
    });
  }

  #admitWhoCan(): void {
    for (const turn of this.#turns) {
      if (turn.held !== undefined) continue;
      const free = this.#free();
      if (turn.waiting === undefined || turn.waiting.gpus > free.length) return;
      const { gpus, admit } = turn.waiting;
      turn.waiting = undefined;
      turn.held = free.slice(0, gpus);
      admit();
    }
  }

  #free(): readonly string[] {
    const taken = new Set(this.#turns.flatMap(({ held = [] }) => held));
    return this.#init.devices.filter((device) => !taken.has(device));
  }

  #reason(at: number, { gpus }: Waiting): string {
    const before = this.#turns.slice(0, at).map(({ who }) => who);
    const more = before.length > shownJobs ? ` and ${before.length - shownJobs} more` : "";
    return `waits for ${gpus} of ${this.#init.devices.length} GPUs, behind job ${before.slice(0, shownJobs).join(", ")}${more}`;
  }
}

/**
 * Names of so many GPUs: those that CUDA_VISIBLE_DEVICES leaves to this process, or else their numbers. CUDA leaves those before the first
 * that it does not know.
 */
export function gpuNames(gpus: number, visible: string | undefined): readonly string[] {
  if (visible === undefined) return Array.from({ length: gpus }, (_, i) => String(i));
  const names = visible.split(",").map((name) => name.trim());
  const end = names.findIndex((name) => name === "" || name === "-1");
  return [...new Set(end < 0 ? names : names.slice(0, end))].slice(0, gpus);
}

import { byteSizeText, FlareError, type ResourceRequest } from "@flare-ts/contracts";
import type { OfferedGpus, OfferedToJobs } from "../operate/machine-resources.js";
import type { OfferedResources } from "./offered-resources.js";

export interface ResourcePoolInit extends OfferedResources {
  readonly site: string;
}

/** What a job has of its site to itself. */
export interface JobResources {
  /** GPUs, by the names that CUDA knows them by. */
  readonly gpus: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** A job's turn at what its site offers. */
export interface ResourceTurn {
  /**
   * Resolves when the job has all that it asks for, which stays its own until it leaves; asked again it gives the same.
   *
   * @param onWait - hears why it waits, each time that the reason becomes another one
   * @throws FlareError `job/resources-lacking` when the site never has so much; the reason of the signal
   */
  take(request: ResourceRequest, signal: AbortSignal, onWait: (reason: string) => void): Promise<JobResources>;
  /** The job is over here, or does not come. */
  leave(): void;
}

const kinds = ["gpus", "cpus", "memoryBytes"] as const;
type Kind = (typeof kinds)[number];
type Amounts = Readonly<Record<Kind, number>>;

interface Turn {
  readonly who: string;
  /** What it asks for; `undefined`: that is not known yet. */
  asked: Amounts | undefined;
  held: JobResources | undefined;
  waiting: { readonly admit: () => void; readonly onWait: (reason: string) => void; reason: string } | undefined;
}

/** Jobs that are named to one that waits for them. */
const shownJobs = 3;

/**
 * Shares GPUs, processors and memory of a site among its jobs. A job gets all that it asks for at once, or nothing yet. Of each kind, whoever came
 * first gets its part first, however little a later one asks for: jobs come in the same order at every site, so that a job waits for earlier
 * ones alone, and no two wait for each other. A later one passes only those that want nothing of what it wants.
 */
export class ResourcePool {
  readonly #init: ResourcePoolInit;
  readonly #offered: Amounts;
  /** In the order in which the jobs came; a job that needs nothing is not in it any more. */
  readonly #turns: Turn[] = [];

  constructor(init: ResourcePoolInit) {
    this.#init = init;
    const { devices, cpus, memoryBytes } = init;
    this.#offered = { gpus: devices.length, cpus, memoryBytes };
  }

  /** Puts a job in the row; what it needs is known later. */
  enter(who: string): ResourceTurn {
    const turn: Turn = { who, asked: undefined, held: undefined, waiting: undefined };
    this.#turns.push(turn);
    return {
      take: (request, signal, onWait) => this.#take(turn, request, signal, onWait),
      leave: () => this.#leave(turn),
    };
  }

  /** What there is, and what of it no job has now. */
  offer(): { readonly gpus: OfferedGpus; readonly forJobs: OfferedToJobs } {
    const { gpus, cpus, memoryBytes } = this.#offered;
    const free = this.#free();
    return {
      gpus: { offered: gpus, free: free.gpus, memPerGpuGiB: this.#init.memPerGpuGiB },
      forJobs: { cpus, freeCpus: free.cpus, memoryBytes, freeMemoryBytes: free.memoryBytes },
    };
  }

  async #take(turn: Turn, request: ResourceRequest, signal: AbortSignal, onWait: (reason: string) => void): Promise<JobResources> {
    if (turn.held !== undefined) return turn.held;
    this.#refuseTooMuch(request);
    const { gpus, cpus, memoryBytes } = request;
    const asked = { gpus, cpus, memoryBytes };
    if (wantedOf(asked).length === 0) {
      this.#leave(turn);
      return { gpus: [], cpus, memoryBytes };
    }
    signal.throwIfAborted();
    return await new Promise<JobResources>((resolve, reject) => {
      const abort = (): void => {
        turn.waiting = undefined;
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
      const admit = (): void => {
        signal.removeEventListener("abort", abort);
        if (turn.held !== undefined) resolve(turn.held);
      };
      turn.asked = asked;
      turn.waiting = { admit, onWait, reason: "" };
      this.#look();
    });
  }

  /** Says at once all that the site never has. */
  #refuseTooMuch(request: ResourceRequest): void {
    const { site, memPerGpuGiB } = this.#init;
    const offered = this.#offered;
    const areSmall = request.gpus > 0 && request.memPerGpuGiB > memPerGpuGiB;
    const lacking = kinds.filter((kind) => request[kind] > offered[kind] || (kind === "gpus" && areSmall));
    if (lacking.length === 0) return;
    const texts = lacking.map((kind) => {
      const [each, size] = kind === "gpus" ? [` with ${request.memPerGpuGiB} GiB each`, ` with ${memPerGpuGiB} GiB`] : ["", ""];
      return `${amountText(kind, request[kind])}${each} (it offers ${numberText(kind, offered[kind])}${size})`;
    });
    throw new FlareError("job/resources-lacking", `The job asks ${site} for ${listText(texts)}.`, {
      facts: { site, asked: { ...request }, offered: { ...offered, memPerGpuGiB } },
    });
  }

  #leave(turn: Turn): void {
    const at = this.#turns.indexOf(turn);
    if (at < 0) return;
    this.#turns.splice(at, 1);
    this.#look();
  }

  #look(): void {
    this.#admitWhoCan();
    this.#turns.forEach(({ asked, waiting }, at) => {
      if (waiting === undefined || asked === undefined) return;
      const reason = this.#reason(at, asked);
      if (waiting.reason === reason) return;
      waiting.reason = reason;
      waiting.onWait(reason);
    });
  }

  #admitWhoCan(): void {
    for (const [at, turn] of this.#turns.entries()) {
      const { asked, waiting } = turn;
      if (asked === undefined || waiting === undefined || this.#lacking(at, asked).length > 0) continue;
      turn.waiting = undefined;
      turn.held = { ...asked, gpus: this.#freeDevices().slice(0, asked.gpus) };
      waiting.admit();
    }
  }

  /** Kinds of which there is not enough for the turn at a place in the row, or that an earlier one waits for. */
  #lacking(at: number, asked: Amounts): readonly Kind[] {
    const free = this.#free();
    const earlier = this.#turns.slice(0, at).filter(({ held }) => held === undefined);
    return wantedOf(asked).filter((kind) => asked[kind] > free[kind] || earlier.some((turn) => mayWant(turn, kind)));
  }

  #free(): Amounts {
    const held = this.#turns.flatMap((turn) => turn.held ?? []);
    const sum = (part: (held: JobResources) => number): number => held.reduce((total, one) => total + part(one), 0);
    const { gpus, cpus, memoryBytes } = this.#offered;
    return {
      gpus: gpus - sum((one) => one.gpus.length),
      cpus: cpus - sum((one) => one.cpus),
      memoryBytes: memoryBytes - sum((one) => one.memoryBytes),
    };
  }

  #freeDevices(): readonly string[] {
    const taken = new Set(this.#turns.flatMap(({ held }) => held?.gpus ?? []));
    return this.#init.devices.filter((device) => !taken.has(device));
  }

  #reason(at: number, asked: Amounts): string {
    const lacking = this.#lacking(at, asked);
    const texts = lacking.map((kind) => `${numberText(kind, asked[kind])} of ${amountText(kind, this.#offered[kind])}`);
    const rivals = this.#turns.slice(0, at).filter((turn) => lacking.some((kind) => mayWant(turn, kind)));
    const names = rivals.slice(0, shownJobs).map(({ who }) => who);
    const more = rivals.length > shownJobs ? ` and ${rivals.length - shownJobs} more` : "";
    return `waits for ${listText(texts)}, behind job ${names.join(", ")}${more}`;
  }
}

/** Whether a job has or wants some of a kind; one of which it is not known may. */
function mayWant({ asked }: Turn, kind: Kind): boolean {
  return asked === undefined || asked[kind] > 0;
}

function wantedOf(asked: Amounts): readonly Kind[] {
  return kinds.filter((kind) => asked[kind] > 0);
}

function numberText(kind: Kind, amount: number): string {
  return kind === "memoryBytes" ? byteSizeText(amount) : String(amount);
}

function amountText(kind: Kind, amount: number): string {
  if (kind === "memoryBytes") return `${numberText(kind, amount)} of memory`;
  return `${amount} ${kind === "gpus" ? "GPU" : "CPU"}${amount === 1 ? "" : "s"}`;
}

/** `a, b and c`. */
function listText(texts: readonly string[]): string {
  return [texts.slice(0, -1).join(", "), ...texts.slice(-1)].filter((text) => text !== "").join(" and ");
}

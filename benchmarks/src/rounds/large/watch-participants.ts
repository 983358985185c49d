import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type ProcessParent, processParents, proportionalBytes } from "../../memory/tree-memory.ts";

/** A participant whose memory is looked at. */
export interface WatchedParticipant {
  readonly name: string;
  /** Its parent process. */
  readonly pid: number;
  /** How many generations below the parent are its own: at a site the job processes are, and what these start are trainers. */
  readonly ownGenerations: number;
}

/** What a participant's own processes held at a moment. */
export interface MemorySample {
  readonly atMs: number;
  /** Bytes by the participant's name: proportional set sizes, in which a page that several processes share counts in parts. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** A look costs some milliseconds of a processor for each process: even so it takes a twentieth of what a round takes. */
export const everyMs = 200;

/** Looks at the memory of participants again and again, until it is stopped. */
export class ParticipantWatch {
  readonly samples: MemorySample[] = [];
  /** Whether it looks away for now. */
  isPaused = false;
  readonly #participants: readonly WatchedParticipant[];
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  constructor(init: { readonly participants: readonly WatchedParticipant[] }) {
    this.#participants = init.participants;
    this.#looking = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (!this.isPaused) this.samples.push(await look(this.#participants));
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** What participants hold now. */
export async function look(participants: readonly WatchedParticipant[]): Promise<MemorySample> {
  const parents = await processParents();
  const atMs = Date.now();
  const sizes = await Promise.all(
    participants.map(async (participant) => [participant.name, await ownBytes(participant, parents)] as const),
  );
  return { atMs, bytes: Object.fromEntries(sizes) };
}

async function ownBytes({ pid, ownGenerations }: WatchedParticipant, parents: readonly ProcessParent[]): Promise<number> {
  let generation: readonly number[] = [pid];
  const own = [pid];
  for (let depth = 0; depth < ownGenerations && generation.length > 0; depth += 1) {
    const above = new Set(generation);
    generation = parents.filter(({ parent }) => above.has(parent)).map((entry) => entry.pid);
    own.push(...generation);
  }
  const sizes = await Promise.all(own.map(proportionalBytes));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** Seconds of processor time that a process has used so far. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Linux tells times to programs in hundredths of a second.
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

import { totalmem } from "node:os";
import process from "node:process";
import { byteSizeText, FlareError } from "@flare-ts/contracts";

/** What a participant's processes may do at the same time, so that together they stay within its memory. */
export interface MemoryPlan {
  /** What was asked for; `undefined`: nothing was. */
  readonly maxBytes: number | undefined;
  /** Job processes. */
  readonly jobs: number;
  /** Uploads and downloads under way. */
  readonly transfers: number;
  /** Threads of the aggregation in a server's job process; `undefined`: as many as are useful. */
  readonly engineThreads: number | undefined;
  /** Heap of a job process, in MiB; `undefined`: what Node takes. */
  readonly jobHeapMiB: number | undefined;
}

export interface MemoryPlanInit {
  readonly kind: "server" | "client";
  readonly maxBytes: number | undefined;
  /** Memory of the machine, or of the part of it that this process is held to. */
  readonly machineBytes: number;
}

const mebibyte = 2 ** 20;

/**
 * What processes hold, in MiB, measured with models of 20 MB to 2 GB and rounded up: none of it depends on the model. `npm run bench -- rounds
 * --max-memory` checks the sum.
 */
const costs = {
  server: { parent: 144, job: 112, thread: 24 },
  client: { parent: 120, job: 88, thread: 0 },
} as const;

/** A transfer's window, and its chunks on the way between disk and line. */
const transferMiB = 12;
const mostTransfers = 256;
const leastTransfers = 2;
const plannedHeapMiB = 64;

/**
 * Divides the memory of a participant. Job processes get up to a half of what its parent process leaves, and transfers the rest; without a
 * limit, transfers may hold a quarter of the machine.
 *
 * @throws FlareError `runtime/budget-too-small` when one job and two transfers have no room
 */
export function planMemory({ kind, maxBytes, machineBytes }: MemoryPlanInit): MemoryPlan {
  if (maxBytes === undefined) {
    const transfers = bounded(Math.floor(machineBytes / mebibyte / 4 / transferMiB));
    return { maxBytes, jobs: Number.POSITIVE_INFINITY, transfers, engineThreads: undefined, jobHeapMiB: undefined };
  }
  const { parent, job, thread } = costs[kind];
  const room = Math.floor(maxBytes / mebibyte) - parent;
  const least = job + leastTransfers * transferMiB;
  if (room < least) throw tooSmall(kind, maxBytes, (parent + least) * mebibyte);
  const isTwoThreaded = room / 2 >= job + thread;
  const jobMiB = isTwoThreaded ? job + thread : job;
  const jobs = Math.max(1, Math.floor(room / 2 / jobMiB));
  const transfers = bounded(Math.floor((room - jobs * jobMiB) / transferMiB));
  return { maxBytes, jobs, transfers, engineThreads: isTwoThreaded ? 2 : 1, jobHeapMiB: plannedHeapMiB };
}

/** Memory of the machine, or less where the system holds this process to less. */
export function memoryOfMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** What sets the bounds of a plan, for messages. */
export function setByText({ maxBytes }: MemoryPlan): string {
  return maxBytes === undefined ? "a quarter of this machine's memory" : `--max-memory ${byteSizeText(maxBytes)}`;
}

function bounded(transfers: number): number {
  return Math.max(leastTransfers, Math.min(mostTransfers, transfers));
}

function tooSmall(kind: MemoryPlanInit["kind"], maxBytes: number, leastBytes: number): FlareError {
  const word = kind === "server" ? "server" : "site";
  return new FlareError(
    "runtime/budget-too-small",
    `A ${word} needs at least ${byteSizeText(leastBytes)} of memory for one job, and --max-memory says ${byteSizeText(maxBytes)}.`,
    { facts: { maxBytes, leastBytes } },
  );
}

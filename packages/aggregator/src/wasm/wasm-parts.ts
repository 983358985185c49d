import { FlareError, limits } from "@flare-ts/contracts/errors";
import { KernelMemory } from "./kernel-memory.js";
import { type KernelModule, loadKernelModule } from "./kernel-module.js";
import { type KernelThreads, kernelThreads } from "./kernel-threads.js";
import { WorkSlots } from "./work-slots.js";

/** What the kernels run on, shared by all sessions of an engine. */
export interface WasmParts {
  readonly memory: KernelMemory;
  readonly threads: KernelThreads;
  readonly slots: WorkSlots;
  /** In words, for reports. */
  readonly device: string;
}

export interface WasmPartsInit {
  /** Threads that run kernels, 1 to 8; with 1 it is the caller's and no other is started. No bit depends on it. @default 1 */
  readonly threads?: number;
  /** Off to do without vector instructions, as machines that lack them do. @default true */
  readonly isSimdAllowed?: boolean;
}

/** Most threads that may be asked for; kernels wait for memory long before. */
export const maxThreads: number = limits.engineThreads;

/** Batches in work beside those that threads are busy with: they are read, hashed and written. */
const slotsBeside = 2;

/** Compiles the kernels and starts the threads. @throws `aggregate/engine-unavailable`, RangeError for a number of threads */
export async function createWasmParts({ threads = 1, isSimdAllowed = true }: WasmPartsInit = {}): Promise<WasmParts> {
  if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads) throw new RangeError(`threads must be 1 to ${maxThreads}`);
  const kernels = await requireKernels(isSimdAllowed);
  const memory = new KernelMemory(kernels);
  return {
    memory,
    threads: kernelThreads(kernels, memory, threads),
    slots: new WorkSlots(memory, threads + slotsBeside),
    device: deviceOf(kernels, threads),
  };
}

/** Compiles the kernels. @throws `aggregate/engine-unavailable` */
export async function requireKernels(isSimdAllowed: boolean): Promise<KernelModule> {
  const kernels = await loadKernelModule(isSimdAllowed);
  if (kernels !== undefined) return kernels;
  throw new FlareError("aggregate/engine-unavailable", "This process has no WebAssembly.", { facts: { engine: "wasm" } });
}

/** What kernels run on, in words. */
export function deviceOf({ isSimd }: KernelModule, threads: number): string {
  return `cpu, WebAssembly ${isSimd ? "with" : "without"} vector instructions, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

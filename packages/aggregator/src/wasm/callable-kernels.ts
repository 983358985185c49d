import type { KernelMemory } from "./kernel-memory.js";
import type { KernelModule } from "./kernel-module.js";
import type { KernelName } from "./kernel-names.js";

/** Kernels that are called at once, on the thread that calls; their arguments stand in `assembly/`. */
export type CallableKernels = Readonly<Record<KernelName, (...args: number[]) => void>>;

/** Makes kernels callable that work on a memory. */
export function callableKernels({ api, module }: KernelModule, memory: KernelMemory): CallableKernels {
  const { exports } = new api.Instance(module, { env: { memory: memory.memory } });
  return exports as unknown as CallableKernels;
}

import type { KernelMemory } from "./kernel-memory.js";
import type { KernelThreads } from "./kernel-threads.js";
import type { WorkSlots } from "./work-slots.js";

/** What the kernels run on, shared by all sessions of an engine. */
export interface WasmParts {
  readonly memory: KernelMemory;
  readonly threads: KernelThreads;
  readonly slots: WorkSlots;
}

export { bytesSource } from "./byte-source.js";
export { indexModel, matchLayout } from "./session/match-layout.js";
export { KernelMemory } from "./wasm/kernel-memory.js";
export { loadKernelModule } from "./wasm/kernel-module.js";
export { addCall, type KernelProgram } from "./wasm/kernel-program.js";
export { type KernelThreads, kernelThreads } from "./wasm/kernel-threads.js";
export { wasmArithmetic } from "./wasm/wasm-arithmetic.js";
export type { WasmParts } from "./wasm/wasm-parts.js";
export { WorkSlots } from "./wasm/work-slots.js";

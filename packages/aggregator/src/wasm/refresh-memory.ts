import type { WasmMemory } from "./web-assembly.js";

/**
 * Makes a thread see so many bytes of a memory that another one has grown. It is sent to threads as text, so it uses nothing
 * but its parameters.
 *
 * V8 tells threads of each growth, but not one that is about to begin: what it was given may be shorter than the memory is, and
 * stays so until someone grows it. In 1 of 600 threads that began while the memory grew it was. Growing by nothing makes V8 look
 * again.
 */
export function refreshMemory(memory: WasmMemory, bytes: number): void {
  if (memory.buffer.byteLength < bytes) memory.grow(0);
}

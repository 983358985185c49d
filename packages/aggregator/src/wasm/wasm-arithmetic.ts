import type { CpuArithmetic, KeptBytes } from "../cpu/cpu-arithmetic.js";
import { foldUpdates } from "../cpu/fold-updates.js";
import { maxContributors } from "../exact/exact-scale.js";
import { foldByKernels } from "./fold-by-kernels.js";
import type { SumMode } from "./sum-mode.js";
import { inspectByKernels } from "./wasm-inspection.js";
import type { WasmParts } from "./wasm-parts.js";

/** Arithmetic by kernels. */
export function wasmArithmetic(parts: WasmParts, mode: SumMode, device: string): CpuArithmetic {
  return {
    device,
    keep: (bytes) => keepIn(parts, bytes),
    inspect: (...args) => inspectByKernels(parts, ...args),
    // At the very limit a sum could be 2^63, one more than a 64-bit integer holds; two limbs hold it.
    fold: (init) => (mode === "exact" && init.updates.length >= maxContributors ? foldUpdates(init) : foldByKernels(parts, mode, init)),
  };
}

function keepIn({ memory }: WasmParts, bytes: Uint8Array): KeptBytes {
  const address = memory.allocate(bytes.byteLength);
  // Beyond 4 GiB, or what the system gives, bytes are kept outside and copied batch by batch.
  if (address === undefined) return { bytes: new Uint8Array(bytes), release: () => {} };
  const kept = memory.view(address, bytes.byteLength);
  kept.set(bytes);
  return { bytes: kept, address, release: () => memory.free(address, bytes.byteLength) };
}

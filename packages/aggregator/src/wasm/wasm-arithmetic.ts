import { maxContributors } from "../exact/exact-scale.js";
import { foldUpdates } from "../js/fold-updates.js";
import type { Arithmetic, KeptBytes } from "../session/arithmetic.js";
import { contributorsBehind } from "../session/summed-contributors.js";
import { distancesByKernels } from "./distances-by-kernels.js";
import { foldByKernels } from "./fold-by-kernels.js";
import { inspectByKernels } from "./inspect-by-kernels.js";
import { maxRows } from "./robust-kernels.js";
import type { SumMode } from "./sum-mode.js";
import type { WasmParts } from "./wasm-parts.js";

/** Arithmetic by kernels. */
export function wasmArithmetic(parts: WasmParts, mode: SumMode): Arithmetic {
  return {
    device: parts.device,
    isExact: mode === "exact",
    keep: (bytes) => keepIn(parts, bytes),
    inspect: (...args) => inspectByKernels(parts, ...args),
    distances: (init) => distancesByKernels(parts, init),
    fold: (init) => {
      // At the very limit a sum could be 2^63, one more than a 64-bit integer holds; two limbs hold it.
      const contributors = init.updates.reduce((sum, update) => sum + contributorsBehind(update), 0);
      const isBeyond = mode === "exact" && contributors >= maxContributors;
      return isBeyond || init.combine.kind === "custom" || (init.combine.kind !== "mean" && init.updates.length > maxRows)
        ? foldUpdates(init)
        : foldByKernels(parts, mode, init);
    },
  };
}

function keepIn({ memory }: WasmParts, bytes: Uint8Array): KeptBytes | undefined {
  const address = memory.allocate(bytes.byteLength);
  if (address === undefined) return undefined;
  const kept = memory.view(address, bytes.byteLength);
  kept.set(bytes);
  return { bytes: kept, address, release: () => memory.free(address, bytes.byteLength) };
}

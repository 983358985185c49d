import type { engineNames, SumMode } from "@flare-ts/aggregator";

/** Names of engines, as `createEngine` takes them. */
export type EngineName = (typeof engineNames)[number];

interface EngineRow {
  readonly modes: readonly SumMode[];
  /** Whether the number of threads makes a difference to it: those of the CPU check what goes to a GPU. */
  readonly hasThreads: boolean;
  /** Whether it computes with the WebAssembly kernels, which are then measured by themselves too. */
  readonly hasKernels: boolean;
}

/** All modes, the default first. */
export const sumModes: readonly SumMode[] = ["exact", "fast", "float64"];

/** What there is to measure of each engine. */
export const engineRows: Readonly<Record<EngineName, EngineRow>> = Object.freeze({
  auto: { modes: sumModes, hasThreads: true, hasKernels: true },
  cpu: { modes: sumModes, hasThreads: true, hasKernels: true },
  wasm: { modes: sumModes, hasThreads: true, hasKernels: true },
  js: { modes: ["exact"], hasThreads: false, hasKernels: false },
  webgpu: { modes: ["exact", "fast"], hasThreads: true, hasKernels: false },
  gpu: { modes: ["fast"], hasThreads: true, hasKernels: false },
});

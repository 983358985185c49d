import { readFile } from "node:fs/promises";
import { readSafetensorsHeader, type SumMode } from "@flare-ts/aggregator";
import {
  bytesSource,
  indexModel,
  KernelMemory,
  kernelThreads,
  loadKernelModule,
  WorkSlots,
  wasmArithmetic,
} from "@flare-ts/aggregator/kernels";
import type { Contestant, FigureHead } from "../contestant.ts";
import { weightOf } from "../updates/weights.ts";

export interface KernelsInMemoryInit {
  readonly files: readonly string[];
  /** Bytes of one update's tensors. */
  readonly updateBytes: number;
  readonly modes: readonly SumMode[];
  readonly threads: readonly number[];
  /** What the mean is held against, by its number of threads. */
  readonly against: (threads: number) => FigureHead["against"];
}

/** Contestants that share some memory, which is let go of by `close`. */
export interface OpenContestants {
  readonly contestants: readonly Contestant[];
  close(): Promise<void>;
}

/** Memory that updates may take among the kernels': they address 4 GiB, and need some to work in. */
export const mostKernelBytes = 2 ** 32 - 2 ** 28;

/** Grid of the sums in mode exact; any does for numbers below 1 and weights of samples. */
const gridBits = 40;

/**
 * The kernels alone: the weighted mean of updates that lie in their memory, batch by batch as the engine makes it, but dropped
 * instead of hashed and written; and the check of all updates for NaN, infinity and norms.
 */
export async function kernelsInMemory({
  files,
  updateBytes,
  modes,
  threads: counts,
  against,
}: KernelsInMemoryInit): Promise<OpenContestants> {
  const kernels = await loadKernelModule();
  if (kernels === undefined) throw new Error("This process has no WebAssembly.");
  const memory = new KernelMemory(kernels);
  const pools = counts.map((count) => ({ memory, threads: kernelThreads(kernels, memory, count), slots: new WorkSlots(memory) }));
  const close = async (): Promise<void> => {
    await Promise.all(pools.map(({ threads }) => threads.close()));
  };
  try {
    const [first] = pools;
    if (first === undefined) return { contestants: [], close };
    const layout = await readSafetensorsHeader(files[0] ?? "");
    const model = indexModel(layout);
    const arithmetic = wasmArithmetic(first, "exact", "");
    const sources: ReturnType<typeof bytesSource>[] = [];
    for (const file of files) {
      const kept = arithmetic.keep(await readFile(file));
      if (kept.address === undefined) throw new RangeError("The updates are larger than what kernels can address.");
      sources.push(bytesSource(kept.bytes, file, kept.address));
    }
    const updates = await Promise.all(
      sources.map(async (source, i) => ({
        source,
        weight: weightOf(i),
        ...(await arithmetic.inspect(source, model, "client", undefined)),
      })),
    );
    const maxAbs = Float64Array.from(layout.tensors, (_, tensor) => Math.max(...updates.map((update) => update.maxAbs[tensor] ?? 0)));
    const head = { group: "engine", source: "memory", bytes: files.length * updateBytes, engine: "cpu-wasm" } as const;
    const contestants = pools.flatMap((parts): readonly Contestant[] => {
      const threads = parts.threads.count;
      const checking = wasmArithmetic(parts, "exact", "");
      const check: Contestant = {
        figures: [
          { ...head, id: `kernels/check/t${threads}`, what: "check for NaN and norms", threads, against: { read: against(threads).read } },
        ],
        run: timed(async () => {
          for (const source of sources) await checking.inspect(source, model, "client", undefined);
        }),
      };
      const means = modes.map((mode): Contestant => {
        const folding = wasmArithmetic(parts, mode, "");
        return {
          figures: [
            {
              ...head,
              id: `kernels/mean/${mode}/t${threads}`,
              what: "weighted mean",
              mode,
              strategy: "fed-avg",
              threads,
              against: against(threads),
            },
          ],
          run: timed(async () => {
            const chunks = folding.fold({
              tensors: layout.tensors,
              updates,
              gridBits: new Float64Array(layout.tensors.length).fill(gridBits),
              maxAbs,
              base: undefined,
              isDifference: false,
              isIncluded: () => true,
              signal: undefined,
            });
            for await (const chunk of chunks) void chunk;
          }),
        };
      });
      return [...means, check];
    });
    return { contestants, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** The milliseconds that something takes, as the only figure. */
export function timed(run: () => Promise<unknown>): () => Promise<readonly number[]> {
  return async () => {
    const start = performance.now();
    await run();
    return [performance.now() - start];
  };
}

import { readFile } from "node:fs/promises";
import { readSafetensorsHeader, type SumMode } from "@flare-ts/aggregator";
import {
  bytesSource,
  type FoldUpdate,
  indexModel,
  KernelMemory,
  kernelThreads,
  loadKernelModule,
  matchLayout,
  plainFold,
  UpdateFindings,
  WorkSlots,
  wasmArithmetic,
} from "@flare-ts/aggregator/kernels";
import type { Contestant, FigureHead } from "../contestant.ts";
import type { StrategyRow } from "../strategies.ts";
import { weightOf } from "../updates/weights.ts";

export interface KernelsInMemoryInit {
  readonly model: string;
  readonly files: readonly string[];
  /** Bytes of one update's tensors. */
  readonly updateBytes: number;
  readonly modes: readonly SumMode[];
  readonly row: StrategyRow;
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

/**
 * The kernels alone: the strategy over updates that lie in their memory, batch by batch as the engine makes it, but dropped
 * instead of hashed and written; and the check of all updates for NaN, infinity and norms.
 */
export async function kernelsInMemory({
  model,
  files,
  updateBytes,
  modes,
  row,
  threads: counts,
  against,
}: KernelsInMemoryInit): Promise<OpenContestants> {
  const kernels = await loadKernelModule();
  if (kernels === undefined) throw new Error("This process has no WebAssembly.");
  const memory = new KernelMemory(kernels);
  const pools = counts.map((count) => ({
    memory,
    threads: kernelThreads(kernels, memory, count),
    slots: new WorkSlots(memory, count + 2),
    device: "",
  }));
  const close = async (): Promise<void> => {
    await Promise.all(pools.map(({ threads }) => threads.close()));
  };
  try {
    const [first] = pools;
    if (first === undefined) return { contestants: [], close };
    const layout = await readSafetensorsHeader(model);
    const { tensors } = layout;
    const arithmetic = wasmArithmetic(first, "exact");
    const updates: FoldUpdate[] = [];
    for (const [i, file] of files.entries()) {
      const kept = arithmetic.keep(await readFile(file));
      if (kept === undefined) throw new RangeError("The updates are larger than what kernels can address.");
      const source = bytesSource(kept.bytes, file, kept.address);
      const stored = await matchLayout(indexModel(layout), await readSafetensorsHeader(file), source, file);
      const found = new UpdateFindings({ tensors, contributor: file, announced: undefined });
      await arithmetic.inspect({ source, stored }, tensors, found, undefined);
      const weight = weightOf(i);
      updates.push({ contributor: file, source, stored, factor: weight, weight, findings: undefined, maxima: found.maxima });
    }
    const head = { group: "engine", source: "memory", bytes: files.length * updateBytes, engine: "cpu-wasm" } as const;
    const contestants = pools.flatMap((parts): readonly Contestant[] => {
      const threads = parts.threads.count;
      const checking = wasmArithmetic(parts, "exact");
      const check: Contestant = {
        figures: [
          { ...head, id: `kernels/check/t${threads}`, what: "check for NaN and norms", threads, against: { read: against(threads).read } },
        ],
        run: timed(async () => {
          for (const update of updates) {
            await checking.inspect(update, tensors, new UpdateFindings({ tensors, contributor: "", announced: undefined }), undefined);
          }
        }),
      };
      // Medians, trimmed means and distances are the same in every mode.
      const means = (row.kernels === "mean" ? modes : modes.slice(0, 1)).map((mode): Contestant => {
        const folding = wasmArithmetic(parts, mode);
        return {
          figures: [
            {
              ...head,
              id: `kernels/${row.kernels}/${mode}/t${threads}`,
              what: row.kernels === "mean" ? "weighted mean" : row.kernels === "distances" ? "distances of all pairs" : row.strategy.name,
              mode,
              strategy: row.strategy.name,
              threads,
              against: against(threads),
            },
          ],
          run: timed(async () => {
            if (row.kernels === "distances") {
              await folding.distances({ tensors, sources: updates, signal: undefined });
              return;
            }
            const combine = row.kernels === "mean" ? ({ kind: "mean" } as const) : row.strategy.combine;
            const batches = folding.fold(plainFold(tensors, updates, combine));
            for await (const batch of batches) void batch;
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

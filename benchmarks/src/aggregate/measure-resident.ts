import { readFile } from "node:fs/promises";
import { readSafetensorsHeader, type SumMode } from "@flare-ts/aggregator";
import {
  bytesSource,
  indexModel,
  KernelMemory,
  kernelCall,
  kernelThreads,
  loadKernelModule,
  type WasmParts,
  WorkSlots,
  wasmArithmetic,
} from "@flare-ts/aggregator/kernels";
import type { Summary } from "../statistics.ts";
import { measureMs } from "./measure.ts";

/** Milliseconds for updates that lie in the memory of the kernels; results are made batch by batch and dropped. */
export interface ResidentFigures {
  /** All bytes read once by the threads, doing next to nothing with them. */
  readonly read: Summary;
  /** a = x + w * y over all pairs of updates. */
  readonly triad: Summary;
  /** The check for NaN, infinity and range, and the norms. */
  readonly check: Summary;
  readonly fold: Readonly<Partial<Record<SumMode, Summary>>>;
}

export interface ResidentInit {
  readonly files: readonly string[];
  readonly modes: readonly SumMode[];
  readonly threads: number;
  readonly runs: number;
}

/** Grid of the sums in mode exact; any does for numbers below 1 and these weights. */
const gridBits = 40;
const weightOf = (client: number): number => 100 + client;
/** Elements of one call, as in the engine. */
const pieceElements = 262_144;

/** Measures the kernels alone, on so many threads. */
export async function measureResident({ files, modes, threads: count, runs }: ResidentInit): Promise<ResidentFigures> {
  const kernels = await loadKernelModule();
  if (kernels === undefined) throw new Error("This process has no WebAssembly.");
  const memory = new KernelMemory(kernels);
  const threads = kernelThreads(kernels, memory, count);
  const parts: WasmParts = { memory, threads, slots: new WorkSlots(memory) };
  try {
    const layout = await readSafetensorsHeader(files[0] ?? "");
    const model = indexModel(layout);
    const arithmetic = wasmArithmetic(parts, "exact", "");
    const sources = await Promise.all(
      files.map(async (file) => {
        const kept = arithmetic.keep(await readFile(file));
        if (kept.address === undefined) throw new Error("The updates are larger than the 4 GiB that kernels can address.");
        return bytesSource(kept.bytes, file, kept.address);
      }),
    );
    const inspect = (source: (typeof sources)[number]): ReturnType<typeof arithmetic.inspect> =>
      arithmetic.inspect(source, model, "client", undefined);
    const inspected = await Promise.all(sources.map(async (source, i) => ({ source, weight: weightOf(i), ...(await inspect(source)) })));
    const maxAbs = Float64Array.from(layout.tensors, (_, tensor) => Math.max(...inspected.map((each) => each.maxAbs[tensor] ?? 0)));
    const check = await measureMs(runs, async () => {
      for (const source of sources) await inspect(source);
    });
    const fold: Partial<Record<SumMode, Summary>> = {};
    for (const mode of modes) {
      const folding = wasmArithmetic(parts, mode, "");
      fold[mode] = await measureMs(runs, async () => {
        const chunks = folding.fold({
          tensors: layout.tensors,
          updates: inspected,
          gridBits: new Float64Array(layout.tensors.length).fill(gridBits),
          maxAbs,
          base: undefined,
          isDifference: false,
          isIncluded: () => true,
          signal: undefined,
        });
        for await (const chunk of chunks) void chunk;
      });
    }
    return {
      ...(await measureBandwidth(
        parts,
        sources.map(({ address = 0, size }) => ({ address, elements: Math.floor(size / 4) })),
        runs,
      )),
      check,
      fold,
    };
  } finally {
    await threads.close();
  }
}

/** Bandwidths as kernels reach them, in pieces of 1 MiB; sums go to one place that stays in the cache. */
async function measureBandwidth(
  { memory, threads }: WasmParts,
  updates: readonly { readonly address: number; readonly elements: number }[],
  runs: number,
): Promise<Pick<ResidentFigures, "read" | "triad">> {
  const flag = memory.allocate(64) ?? 0;
  const targets = Array.from({ length: threads.count }, () => memory.allocate(4 * pieceElements) ?? 0);
  const zeros = [0, 0, 0];
  const calls = (make: (target: number, elements: number, at: number) => readonly number[]): number[][] => {
    const each = targets.map((): number[] => []);
    const elements = Math.min(...updates.map((update) => update.elements));
    for (let from = 0, i = 0; from + pieceElements <= elements; from += pieceElements, i++) {
      const thread = i % threads.count;
      each[thread]?.push(...make(targets[thread] ?? 0, pieceElements, 4 * from));
    }
    return each;
  };
  const single = (target: number, elements: number, values: readonly number[], weights: readonly number[]): readonly number[] =>
    kernelCall("foldSingleF32", [
      values.length,
      1,
      target,
      elements,
      ...[...values, ...zeros, 0].slice(0, 4),
      ...[...weights, ...zeros, 0].slice(0, 4),
    ]);
  const groups = (size: number): (readonly number[])[] =>
    Array.from({ length: Math.floor(updates.length / size) }, (_, i) =>
      updates.slice(i * size, (i + 1) * size).map(({ address }) => address),
    );
  const reading = calls((_target, elements, at) =>
    updates.flatMap(({ address }) => kernelCall("checkSingle", [address + at, elements, flag])),
  );
  const adding = calls((target, elements, at) =>
    groups(2).flatMap((pair) =>
      single(
        target,
        elements,
        pair.map((address) => address + at),
        [1, 0.5],
      ),
    ),
  );
  const inFours = calls((target, elements, at) =>
    groups(4).flatMap((four) =>
      single(
        target,
        elements,
        four.map((address) => address + at),
        [1, 1, 1, 1],
      ),
    ),
  );
  const reads = [await measureMs(runs, () => threads.run(reading))];
  // Several places at a time are faster on some machines and slower on others: the better of the two is what can be read.
  if (updates.length % 4 === 0) reads.push(await measureMs(runs, () => threads.run(inFours)));
  const read = reads.reduce((best, each) => (each.median < best.median ? each : best));
  return { read, triad: await measureMs(runs, () => threads.run(adding)) };
}

/** Milliseconds for chunks of 1 MiB out of Node buffers, one update after the other, on the caller's thread: copied in, checked, added. */
export async function measureStreaming(
  files: readonly string[],
  modes: readonly ("exact" | "fast")[],
  runs: number,
): Promise<Readonly<Partial<Record<"exact" | "fast", Summary>>>> {
  const kernels = await loadKernelModule();
  if (kernels === undefined) throw new Error("This process has no WebAssembly.");
  const memory = new KernelMemory(kernels);
  const threads = kernelThreads(kernels, memory, 1);
  const chunkBytes = 4 * pieceElements;
  const buffers = await Promise.all(files.map((file) => readFile(file)));
  const elements = Math.floor(Math.min(...buffers.map(({ byteLength }) => byteLength)) / 4);
  const [input = 0, result = 0, sums = 0] = [chunkBytes, 64, 8 * elements].map((bytes) => memory.allocate(bytes));
  const results: Partial<Record<"exact" | "fast", Summary>> = {};
  const magic = 1.5 * 2 ** (52 - gridBits);
  for (const mode of modes) {
    results[mode] = await measureMs(runs, async () => {
      for (const [client, buffer] of buffers.entries()) {
        for (let from = 0; from < elements; from += pieceElements) {
          const count = Math.min(pieceElements, elements - from);
          memory.view(input, 4 * count).set(buffer.subarray(4 * from, 4 * (from + count)));
          const isFirst = client === 0 ? 1 : 0;
          const common = [1, isFirst, sums + (mode === "exact" ? 8 : 4) * from, count, input, 0, 0, 0, weightOf(client), 0, 0, 0];
          const fold = mode === "exact" ? kernelCall("foldExactF32", [...common, magic]) : kernelCall("foldSingleF32", common);
          await threads.run([[...kernelCall("scanF32", [input, count, result]), ...fold]]);
        }
      }
    });
  }
  return results;
}

import { readFile } from "node:fs/promises";
import { readSafetensorsHeader } from "@flare-ts/aggregator";
import { KernelMemory, kernelCall, kernelThreads, loadKernelModule } from "@flare-ts/aggregator/kernels";
import type { Contestant, FigureHead } from "../contestant.ts";
import { elementCount, type FloatDtype, isFloat } from "../layouts/float-dtype.ts";
import { weightOf } from "../updates/weights.ts";
import { type OpenContestants, timed } from "./kernels-in-memory.ts";

export interface KernelsOnChunksInit {
  readonly files: readonly string[];
  readonly dtype: FloatDtype;
  readonly modes: readonly ("exact" | "fast")[];
  readonly against: FigureHead["against"];
}

/** How the kernels call the types. */
const kernelTypes = { float32: "F32", bfloat16: "Bf16", float16: "F16" } as const;
const chunkElements = 262_144;
/** Buffers of their own: several, so that they do not stay in the cache, and not more than that takes. */
const mostBuffers = 4;
/** A grid that does for numbers below 1 and weights of samples. */
const magic = 1.5 * 2 ** (52 - 40);

/**
 * What a server does with an update that arrives piece by piece: chunks of 262,144 elements out of Node's buffers, one update after
 * the other, on the caller's thread; each is copied in, checked, and added to sums of the whole model.
 */
export async function kernelsOnChunks({ files, dtype, modes, against }: KernelsOnChunksInit): Promise<OpenContestants> {
  const kernels = await loadKernelModule();
  if (kernels === undefined) throw new Error("This process has no WebAssembly.");
  const memory = new KernelMemory(kernels);
  const threads = kernelThreads(kernels, memory, 1);
  const { tensors, dataOffset } = await readSafetensorsHeader(files[0] ?? "");
  const buffers = await Promise.all(files.slice(0, mostBuffers).map((file) => readFile(file)));
  let elements = 0;
  const pieces = tensors.filter(isFloat).flatMap((tensor) => {
    const count = elementCount(tensor);
    const width = count === 0 ? 0 : tensor.byteLength / count;
    const first = elements;
    elements += count;
    return Array.from({ length: Math.ceil(count / chunkElements) }, (_, i) => ({
      begin: dataOffset + tensor.byteOffset + i * chunkElements * width,
      bytes: Math.min(chunkElements, count - i * chunkElements) * width,
      first: first + i * chunkElements,
      count: Math.min(chunkElements, count - i * chunkElements),
    }));
  });
  const [input, result, sums] = [4 * chunkElements, 64, 8 * elements].map((bytes) => memory.allocate(bytes));
  if (input === undefined || result === undefined || sums === undefined)
    throw new RangeError("The model is larger than what kernels can address.");
  const type = kernelTypes[dtype];
  const addAll = async (mode: "exact" | "fast"): Promise<void> => {
    for (const client of files.keys()) {
      const buffer = buffers[client % buffers.length] ?? new Uint8Array();
      for (const { begin, bytes, first, count } of pieces) {
        memory.view(input, bytes).set(buffer.subarray(begin, begin + bytes));
        const target = sums + (mode === "exact" ? 8 : 4) * first;
        const args = [1, client === 0 ? 1 : 0, target, count, input, 0, 0, 0, weightOf(client), 0, 0, 0];
        const fold = mode === "exact" ? kernelCall(`foldExact${type}`, [...args, magic]) : kernelCall(`foldSingle${type}`, args);
        await threads.run([[...kernelCall(`scan${type}`, [input, count, result]), ...fold]]);
      }
    }
  };
  const bytes = files.length * pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  const contestants = modes.map(
    (mode): Contestant => ({
      figures: [
        {
          id: `kernels/chunks/${mode}/t1`,
          group: "engine",
          what: "chunks: copy, check, add",
          source: "chunks",
          threads: 1,
          bytes,
          engine: "cpu-wasm",
          mode,
          strategy: "fed-avg",
          against,
        },
      ],
      run: timed(() => addAll(mode)),
    }),
  );
  return { contestants, close: () => threads.close() };
}

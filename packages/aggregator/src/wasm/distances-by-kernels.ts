import { limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { measureDistances } from "../js/measure-distances.js";
import type { DistancesInit, ReadableUpdate } from "../session/arithmetic.js";
import { type Batch, blockElements, type Piece, planBatches } from "../session/batches.js";
import { isFloatDtype } from "../tensor.js";
import { distancesTileBytes } from "./distances-kernels.js";
import { inSlots } from "./in-slots.js";
import { addCall, type KernelProgram } from "./kernel-program.js";
import { readFailed } from "./read-failed.js";
import { inputBytes } from "./thread-scratch.js";
import { addInput, needsDecoding, planInput, type TileInput } from "./tile-inputs.js";
import { elementsHeld, heldBytes } from "./tile-room.js";
import type { WasmParts } from "./wasm-parts.js";
import { slotEntries, slotPieces, type WorkSlot } from "./work-slots.js";

/** Sources whose matrix of distances has room in a slot. */
const maxSources = limits.comparedByKernels;

/**
 * Squared distances between sources by kernels: of two in float64, of more in float32 with sums of few elements, off by about
 * 10^-6 of a distance. Each batch of a model has a matrix of its own, and these are added in order, so that no bit depends
 * on threads.
 */
export async function distancesByKernels(parts: WasmParts, init: DistancesInit): Promise<Float64Array> {
  const { tensors, sources, signal } = init;
  const n = sources.length;
  const isCompared = (tensor: number): boolean =>
    sources[0]?.stored[tensor] !== undefined && isFloatDtype(tensors[tensor]?.dtype ?? "BOOL");
  const isWide = tensors.some(({ dtype }, tensor) => dtype === "F64" && isCompared(tensor));
  if (n > maxSources || (isWide && n > 2)) return measureDistances(init);
  const together = elementsHeld(n, heldBytes(sources), distancesTileBytes(n));
  if (together === 0) return measureDistances(init);
  const pieceElements = Math.min(blockElements, 2 ** Math.floor(Math.log2(together)));
  const most = { pieceElements, pieces: Math.max(1, Math.min(slotPieces, Math.floor(slotEntries / n))) };
  const batches = inSlots(parts.slots, planBatches(tensors, isCompared, most), async (batch, slot) => {
    throwIfAborted(signal);
    await measureBatch(parts, sources, batch, slot);
    return { slot };
  });
  const distances = new Float64Array(n * n);
  for await (const { slot } of batches) addMatrix(distances, parts, slot, n);
  return distances;
}

async function measureBatch(parts: WasmParts, sources: readonly ReadableUpdate[], batch: Batch, slot: WorkSlot): Promise<void> {
  const { memory, threads } = parts;
  const n = sources.length;
  memory.view(slot.means, 8 * n * n).fill(0);
  const thread = threads.next();
  const program: KernelProgram = [];
  const addresses = memory.words(slot.lists + 8 * slotEntries, slotEntries);
  for (const [index, piece] of batch.pieces.entries()) {
    // Tensors of 16 bits are decoded: the kernels compare float32, and two of float64.
    const isDecoded = (source: ReadableUpdate): boolean =>
      needsDecoding(source.stored[piece.tensor], piece.dtype === "F64" ? "F64" : "F32");
    let at = thread.scratch.inputs;
    const found: (number | undefined)[] = [];
    for (const source of sources) {
      const input: TileInput = planInput(source, [piece], () => isDecoded(source));
      found.push(addInput(program, input, [piece], () => isDecoded(source), at)[0]?.at);
      at += input.bytes;
    }
    addPiece(program, piece, found, {
      addresses,
      entry: index * n,
      slot,
      rows: thread.scratch.inputs + inputBytes - distancesTileBytes(n),
    });
  }
  const failure = program.length === 0 ? undefined : await thread.run(program);
  if (failure !== undefined) throw readFailed(failure, sources);
}

function addPiece(
  program: KernelProgram,
  { dtype, count }: Piece,
  found: readonly (number | undefined)[],
  {
    addresses,
    entry,
    slot,
    rows,
  }: { readonly addresses: Uint32Array; readonly entry: number; readonly slot: WorkSlot; readonly rows: number },
): void {
  const n = found.length;
  // What a source lacks is compared with nothing; strategies that compare ask for the same tensors of all.
  if (found.some((address) => address === undefined)) return;
  if (n === 2) {
    addCall(
      program,
      dtype === "F64" ? "addDifferenceSquaresF64" : "addDifferenceSquaresF32",
      found[0] ?? 0,
      found[1] ?? 0,
      count,
      slot.means,
    );
    return;
  }
  for (const [i, address] of found.entries()) addresses[entry + i] = address ?? 0;
  addCall(program, "addDistancesF32", n, slot.lists + 8 * slotEntries + 4 * entry, count, slot.means, rows);
}

/** Adds what a batch has come to, of which kernels fill the lower half. */
function addMatrix(distances: Float64Array, { memory }: WasmParts, slot: WorkSlot, n: number): void {
  if (n === 2) {
    const [some = 0] = memory.doubles(slot.means, 1);
    distances[1] = (distances[1] ?? 0) + some;
    distances[2] = distances[1];
    return;
  }
  const matrix = memory.doubles(slot.means, n * n);
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const sum = (distances[i * n + j] ?? 0) + (matrix[i * n + j] ?? 0);
      distances[i * n + j] = sum;
      distances[j * n + i] = sum;
    }
  }
}

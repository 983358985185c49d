import { throwIfAborted } from "../abort.js";
import { PieceValues } from "../js/piece-values.js";
import type { TensorPlace } from "../safetensors/layout.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import { type Batch, type Piece, planBatches } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { readPieces } from "../session/read-pieces.js";
import type { UpdateFindings } from "../session/update-findings.js";
import { isFloatDtype, type TensorData } from "../tensor.js";
import { inSlots } from "./in-slots.js";
import { addCall, type KernelProgram, kernelType } from "./kernel-program.js";
import { readFailed } from "./read-failed.js";
import { tileElements } from "./thread-scratch.js";
import { addInput, needsDecoding, planInput } from "./tile-inputs.js";
import type { WasmParts } from "./wasm-parts.js";
import { slotBytes, slotElements, slotEntries, type WorkSlot } from "./work-slots.js";

/** Does what `inspectUpdate` does, by kernels; norms may differ from its in their last bits. @throws as `inspectUpdate` */
export async function inspectByKernels(
  parts: WasmParts,
  update: ReadableUpdate,
  tensors: readonly TensorPlace[],
  findings: UpdateFindings,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { slots, memory } = parts;
  const isIncluded = (tensor: number): boolean => update.stored[tensor] !== undefined;
  const scanned = inSlots(slots, planBatches(tensors, isIncluded, { elements: slotElements, bytes: slotBytes }), async (batch, slot) => {
    await scanBatch(parts, update, batch, slot);
    return { batch, slot };
  });
  const values = new PieceValues();
  for await (const { batch, slot } of scanned) {
    throwIfAborted(signal);
    const results = memory.doubles(slot.results, 2 * batch.pieces.length);
    for (const [index, piece] of batch.pieces.entries()) {
      if (!isFloatDtype(piece.dtype)) {
        findings.addInteger(piece, await read(update, piece, (bytes, at) => values.raw(bytes, at, piece.dtype, piece.count)));
        continue;
      }
      const maxAbs = results[2 * index] ?? 0;
      const squares = results[2 * index + 1] ?? 0;
      // Only what cannot be told from the scan alone is read again, for the message.
      const elements = Number.isFinite(squares) ? new Float32Array(0) : await readFloats(update, piece, values);
      findings.addFloat(piece, { maxAbs, squares }, () => elements);
    }
  }
}

async function scanBatch({ memory, threads }: WasmParts, update: ReadableUpdate, batch: Batch, slot: WorkSlot): Promise<void> {
  const thread = threads.next();
  const program: KernelProgram = [];
  const addresses = memory.words(slot.lists + 8 * slotEntries, batch.pieces.length);
  const scales = memory.words(slot.lists + 12 * slotEntries, batch.pieces.length);
  for (let first = 0; first < batch.pieces.length; ) {
    let end = first;
    let elements = 0;
    for (; end < batch.pieces.length; end++) {
      elements += batch.pieces[end]?.count ?? 0;
      if (end > first && elements > tileElements) break;
    }
    addScans(program, update, batch, { first, end }, { slot, inputs: thread.scratch.inputs, addresses, scales });
    first = end;
  }
  const failure = program.length === 0 ? undefined : await thread.run(program);
  if (failure !== undefined) throw readFailed(failure, [update]);
}

function addScans(
  program: KernelProgram,
  update: ReadableUpdate,
  batch: Batch,
  { first, end }: { readonly first: number; readonly end: number },
  {
    slot,
    inputs,
    addresses,
    scales,
  }: { readonly slot: WorkSlot; readonly inputs: number; readonly addresses: Uint32Array; readonly scales: Uint32Array },
): void {
  const pieces: Piece[] = [];
  const indices: number[] = [];
  for (let index = first; index < end; index++) {
    const piece = batch.pieces[index];
    if (piece === undefined || !isFloatDtype(piece.dtype)) continue;
    pieces.push(piece);
    indices.push(index);
  }
  const typeOf = (index: number): ReturnType<typeof kernelType> => {
    const stored = update.stored[pieces[index]?.tensor ?? -1];
    return stored?.kind === "plain" ? kernelType(stored.dtype) : "F32";
  };
  const isDecoded = (index: number): boolean => {
    const stored = update.stored[pieces[index]?.tensor ?? -1];
    return stored?.kind !== "int8" && needsDecoding(stored, typeOf(index));
  };
  const found = addInput(program, planInput(update, pieces, isDecoded), pieces, isDecoded, inputs);
  for (const [i, index] of indices.entries()) {
    const address = found[i];
    const type = typeOf(i);
    if (address === undefined || type === undefined) continue;
    addresses[index] = address.at;
    const args = [1, slot.lists + 8 * slotEntries + 4 * index, pieces[i]?.count ?? 0, slot.results + 16 * index, 16];
    const stored = update.stored[pieces[i]?.tensor ?? -1];
    if (stored?.kind === "int8") {
      scales[index] = address.companionAt;
      addCall(program, "scanAllInt8", ...args, slot.lists + 12 * slotEntries + 4 * index, stored.block);
    } else addCall(program, `scanAll${type}`, ...args);
  }
}

async function readFloats(update: ReadableUpdate, piece: Piece, values: PieceValues): Promise<Float32Array | Float64Array> {
  const plan = planReads(update.stored, [piece]);
  const buffer = new Uint8Array(plan.bytes);
  await readPieces(update.source, plan, buffer);
  const [place] = plan.pieces;
  return place === undefined ? new Float32Array(0) : values.floats(buffer, place, piece);
}

async function read(update: ReadableUpdate, piece: Piece, view: (bytes: Uint8Array, at: number) => TensorData): Promise<TensorData> {
  const plan = planReads(update.stored, [piece]);
  const buffer = new Uint8Array(plan.bytes);
  await readPieces(update.source, plan, buffer);
  return view(buffer, plan.pieces[0]?.at ?? 0);
}

import { throwIfAborted } from "../abort.js";
import type { ByteSource } from "../byte-source.js";
import { type Batch, batchBytes, type Piece, planBatches } from "../cpu/batches.js";
import { beginInspection, type InspectedUpdate, type Scanned } from "../cpu/inspect-update.js";
import type { ModelIndex } from "../cpu/match-layout.js";
import { PieceViews } from "../cpu/piece-views.js";
import { dtypeBytes, isFloatDtype } from "../tensor.js";
import { bringIn, pieceAddress } from "./batch-sources.js";
import { InFlight } from "./in-flight.js";
import { kernelCall, kernelType } from "./kernel-call.js";
import type { WasmParts } from "./wasm-parts.js";
import type { WorkSlot } from "./work-slots.js";

/** Elements that one call scans. A sum of squares is made of these, whatever the threads, so that norms have the same bits. */
const blockElements = 65_536;

/** A piece of a batch with what its scan found; integers are looked at where they lie. */
interface ScannedPiece {
  readonly piece: Piece;
  readonly bytes: Uint8Array;
  readonly scanned: Scanned | undefined;
}

interface ScannedBatch {
  readonly pieces: readonly ScannedPiece[];
  readonly slot: WorkSlot;
}

/** Does what `inspectUpdate` does, by kernels; norms may differ from its in their last bits. @throws as `inspectUpdate` */
export async function inspectByKernels(
  parts: WasmParts,
  source: ByteSource,
  model: ModelIndex,
  who: string,
  signal: AbortSignal | undefined,
): Promise<InspectedUpdate> {
  const { layout, offsets, findings } = await beginInspection(source, model, who, signal);
  const update = { source, offsets };
  const views = new PieceViews();
  const batches = planBatches(model.tensors, (tensor) => (offsets[tensor] ?? -1) >= 0);
  const inFlight = new InFlight<Batch, ScannedBatch>({
    items: batches,
    start: async (batch) => {
      const slot = await parts.slots.take();
      try {
        return { pieces: await scanBatch(parts, update, batch, slot), slot };
      } catch (cause) {
        parts.slots.giveBack(slot);
        throw cause;
      }
    },
    release: ({ slot }) => parts.slots.giveBack(slot),
  });
  for await (const { pieces } of inFlight.results()) {
    throwIfAborted(signal);
    for (const { piece, bytes, scanned } of pieces) {
      const alone = { ...piece, at: 0 };
      if (scanned === undefined) findings.addInteger(piece, views.raw(bytes, alone));
      else findings.addFloat(piece, scanned, () => views.floats(bytes, alone));
    }
  }
  return { offsets, maxAbs: findings.maxAbs, norm: Math.sqrt(findings.squares), tensors: layout.tensors.length };
}

async function scanBatch(
  { memory, threads }: WasmParts,
  update: { readonly source: ByteSource; readonly offsets: Float64Array },
  batch: Batch,
  slot: WorkSlot,
): Promise<readonly ScannedPiece[]> {
  const input = slot.inputs[0] ?? 0;
  await bringIn(update, batch, memory.view(input, batchBytes));
  const calls: number[][] = Array.from({ length: threads.count }, () => []);
  let blocks = 0;
  for (const piece of batch.pieces) {
    const type = kernelType(piece.dtype);
    if (type === undefined) continue;
    const address = pieceAddress(update, piece, input);
    for (let from = 0; from < piece.count; from += blockElements) {
      const count = Math.min(blockElements, piece.count - from);
      const args = [address + from * dtypeBytes[piece.dtype], count, slot.sums + 16 * blocks];
      calls[blocks % threads.count]?.push(...kernelCall(`scan${type}`, args));
      blocks += 1;
    }
  }
  if (blocks > 0) await threads.run(calls);
  const found = memory.view(slot.sums, 16 * blocks);
  const results = new Float64Array(found.buffer, found.byteOffset, 2 * blocks);
  let at = 0;
  return batch.pieces.map((piece) => {
    const bytes = memory.view(pieceAddress(update, piece, input), piece.count * dtypeBytes[piece.dtype]);
    if (!isFloatDtype(piece.dtype)) return { piece, bytes, scanned: undefined };
    let maxAbs = 0;
    let squares = 0;
    for (let from = 0; from < piece.count; from += blockElements) {
      maxAbs = Math.max(maxAbs, results[at] as number);
      squares += results[at + 1] as number;
      at += 2;
    }
    return { piece, bytes, scanned: { maxAbs, squares } };
  });
}

import type { ReadableUpdate } from "../session/arithmetic.js";
import { blockElements, type Piece } from "../session/batches.js";
import { planReads, type ReadPlan, type StoredPiece } from "../session/plan-reads.js";
import type { StoredTensor } from "../session/stored-tensor.js";
import { type Dtype, dtypeBytes } from "../tensor.js";
import { addDecoding, type StoredAddresses } from "./decode-pieces.js";
import type { KernelType } from "./kernel-names.js";
import { addRead, type KernelProgram, kernelType } from "./kernel-program.js";

/** Places begin on such addresses. */
const alignment = 64;

/** What an update's pieces of a tile take in a thread's inputs, and how they come there. */
export interface TileInput {
  readonly update: ReadableUpdate;
  /** `undefined` where everything is used where it lies. */
  readonly plan: ReadPlan | undefined;
  /** Bytes of the thread's inputs: what is read and what is decoded. */
  readonly bytes: number;
}

/**
 * Plans how the pieces of a tile come to the kernels. Updates that lie in their memory are used where they are.
 *
 * @param isDecoded - whether a piece of this index has to be decoded to float32 before it is summed
 */
export function planInput(update: ReadableUpdate, pieces: readonly Piece[], isDecoded: (index: number) => boolean): TileInput {
  if (update.source.address !== undefined && !pieces.some((_, index) => isDecoded(index))) return { update, plan: undefined, bytes: 0 };
  const plan = planReads(update.stored, pieces);
  let bytes = update.source.address === undefined ? aligned(plan.bytes) : 0;
  for (const [index, place] of plan.pieces.entries()) {
    if (place !== undefined && isDecoded(index)) bytes += aligned(4 * (pieces[index]?.count ?? 0));
  }
  return { update, plan, bytes };
}

/**
 * Adds the reads and decodings of an update's pieces to a program.
 *
 * @param at - address of the bytes that it takes
 * @returns where the elements of each piece then are, and scales of those that are not decoded; `undefined` where the update lacks it
 */
export function addInput(
  program: KernelProgram,
  { update, plan }: TileInput,
  pieces: readonly Piece[],
  isDecoded: (index: number) => boolean,
  at: number,
): readonly (StoredAddresses | undefined)[] {
  const { source, stored: tensors } = update;
  if (plan === undefined) {
    return pieces.map((piece) => {
      const stored = tensors[piece.tensor];
      return stored === undefined || source.address === undefined ? undefined : inFile(stored, piece, source.address);
    });
  }
  for (const read of source.address === undefined ? plan.reads : [])
    addRead(program, source.fd ?? -1, at + read.at, read.bytes, read.position);
  let next = source.address === undefined ? at + aligned(plan.bytes) : at;
  return plan.pieces.map((place, index) => {
    const piece = pieces[index];
    if (place === undefined || piece === undefined) return undefined;
    const stored = source.address === undefined ? inBuffer(place, at) : inFile(place.stored, piece, source.address);
    if (!isDecoded(index)) return stored;
    const decoded = next;
    next += aligned(4 * piece.count);
    addDecoding(program, place, piece, stored, decoded);
    return { at: decoded, companionAt: -1 };
  });
}

/** The type that kernels sum a tensor in: that which all its senders have stored, or float32 that others are decoded to. */
export function commonType(dtype: Dtype, stored: readonly ReadableUpdate["stored"][number][]): KernelType | undefined {
  const own = kernelType(dtype);
  if (own === undefined) return undefined;
  const types = new Set(stored.map((each) => (each?.kind === "plain" ? kernelType(each.dtype) : "F32")));
  const [first] = types;
  return types.size === 1 && first !== undefined ? first : "F32";
}

/** Elements that share a scale, where all senders have stored a tensor as int8 with as many; else `undefined`. */
export function commonBlock(stored: readonly ReadableUpdate["stored"][number][]): number | undefined {
  const blocks = new Set(stored.map((each) => (each?.kind === "int8" ? each.block : undefined)));
  const [first] = blocks;
  return blocks.size === 1 ? first : undefined;
}

/** Whether a stored tensor has to be decoded to be summed as a type. */
export function needsDecoding(stored: ReadableUpdate["stored"][number], type: KernelType | undefined): boolean {
  if (stored === undefined) return false;
  return stored.kind !== "plain" || kernelType(stored.dtype) !== type;
}

function inBuffer({ at, companionAt }: StoredPiece, buffer: number): StoredAddresses {
  return { at: buffer + at, companionAt: buffer + companionAt };
}

function inFile(stored: StoredTensor, { firstElement }: Piece, file: number): StoredAddresses {
  if (stored.kind === "plain") return { at: file + stored.offset + firstElement * dtypeBytes[stored.dtype], companionAt: 0 };
  if (stored.kind === "int8") {
    return { at: file + stored.offset + firstElement, companionAt: file + stored.scales + 4 * Math.floor(firstElement / stored.block) };
  }
  const first = stored.starts[Math.floor(firstElement / blockElements)] ?? 0;
  return { at: file + stored.offset + 4 * first, companionAt: file + stored.indices + 4 * first };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

import type { ReadableUpdate } from "../session/arithmetic.js";
import type { Piece } from "../session/batches.js";
import { planReads } from "../session/plan-reads.js";
import { roundsToFinite } from "../session/store-values.js";
import { type FoldPlan, magicOf } from "./fold-plan.js";
import type { KernelMemory } from "./kernel-memory.js";
import { addCall, addRead, type KernelProgram, kernelType } from "./kernel-program.js";
import { isMadeInOnePass, type PlacedPiece } from "./place-pieces.js";
import { inputBytes, type ThreadScratch, tileElements } from "./thread-scratch.js";
import { addInput, needsDecoding, planInput, type TileInput } from "./tile-inputs.js";
import { elementsHeld } from "./tile-room.js";
import { slotEntries, type WorkSlot } from "./work-slots.js";

/** Where a program works. */
export interface ProgramPlaces {
  readonly memory: KernelMemory;
  readonly scratch: ThreadScratch;
  readonly slot: WorkSlot;
}

/**
 * Writes the program that folds a batch: tile after tile it reads what all updates hold of a few pieces, scans them for their
 * grid, sums them while they are in the cache, and stores the new values.
 */
export function foldProgram(plan: FoldPlan, pieces: readonly PlacedPiece[], places: ProgramPlaces): KernelProgram {
  const program: KernelProgram = [];
  writeLists(pieces, places);
  for (let first = 0; first < pieces.length; ) {
    let end = first;
    let elements = 0;
    for (; end < pieces.length; end++) {
      elements += pieces[end]?.piece.count ?? 0;
      if (end > first && elements > elementsTogether(plan, pieces[end])) break;
    }
    new Tile(plan, pieces.slice(first, end), places, program).add();
    first = end;
  }
  return program;
}

/** Elements of a tile. Where a middle is looked for, all values of a tile are held at once. */
export function elementsTogether({ init, tensors, isDecoded, heldBytes }: FoldPlan, placed?: PlacedPiece): number {
  if (init.combine.kind === "mean") return isDecoded ? tileElements / 2 : tileElements;
  const tileBytes = Math.max(0, ...(placed === undefined ? tensors : [placed.plan]).map(({ sorting }) => sorting?.tileBytes ?? 0));
  return elementsHeld(init.updates.length, heldBytes, tileBytes);
}

/** Factors, grids that are known and clean flags, which do not wait for a thread. */
function writeLists(pieces: readonly PlacedPiece[], { memory, slot }: ProgramPlaces): void {
  const last = pieces.at(-1);
  if (last === undefined) return;
  const factors = memory.doubles(slot.lists, slotEntries);
  const grids = memory.doubles(slot.grids, 2 * (last.index + 1));
  memory.view(slot.flags, 4 * (last.index + 1)).fill(0);
  for (const { plan, index, entry, gridBits } of pieces) {
    factors.set(plan.factors, entry);
    if (gridBits === undefined) continue;
    grids[2 * index] = magicOf(gridBits);
    grids[2 * index + 1] = 2 ** gridBits;
  }
}

/** Updates that are decoded before they are summed: as many as kernels add in one pass. */
const decodedTogether = 4;

/** A few pieces that a thread works on together. */
class Tile {
  readonly #plan: FoldPlan;
  readonly #pieces: readonly PlacedPiece[];
  readonly #places: ProgramPlaces;
  readonly #program: KernelProgram;
  readonly #all: readonly Piece[];
  /** Where each piece's sums begin among those of the tile, in elements: pieces that kernels do not combine may lie between. */
  readonly #offsets = new Map<PlacedPiece, number>();
  /** Pieces whose new values are made while they are summed. */
  readonly #made = new Set<PlacedPiece>();

  constructor(plan: FoldPlan, pieces: readonly PlacedPiece[], places: ProgramPlaces, program: KernelProgram) {
    this.#plan = plan;
    this.#pieces = pieces;
    this.#places = places;
    this.#program = program;
    this.#all = pieces.map(({ piece }) => piece);
    let offset = 0;
    for (const placed of pieces) {
      this.#offsets.set(placed, offset);
      offset += placed.piece.count;
    }
  }

  add(): void {
    const groups = this.#groups();
    const isMiddle = this.#plan.init.combine.kind !== "mean";
    // A middle needs all values at once; many small pieces may take more room than their elements say.
    if (isMiddle && groups.length > 1 && this.#pieces.length > 1) {
      const half = this.#pieces.length >> 1;
      for (const part of [this.#pieces.slice(0, half), this.#pieces.slice(half)])
        new Tile(this.#plan, part, this.#places, this.#program).add();
      return;
    }
    for (const placed of this.#pieces) {
      // Sums in float32 are new values after each group; exact ones only where the values of all updates are there at once.
      const isAtOnce = placed.plan.sums === "single" || groups.length === 1;
      if (isAtOnce && isMadeInOnePass(this.#plan, placed.plan, placed.piece)) this.#made.add(placed);
    }
    const isGridded = this.#plan.mode === "exact" && !isMiddle && this.#plan.init.announced === undefined;
    if (this.#plan.isScanned) {
      for (const group of groups) {
        this.#bring(group);
        this.#scan(group);
      }
      if (isGridded) for (const placed of this.#pieces) this.#grid(placed);
    }
    for (const group of groups) {
      // One group is still where it was scanned.
      if (!this.#plan.isScanned || groups.length > 1) this.#bring(group);
      this.#sum(group);
    }
    if (groups.length === 0) for (const placed of this.#pieces) this.#begin(placed);
    this.#addPartialSums();
    if (this.#plan.init.result === "sums") for (const placed of this.#pieces) this.#storeSteps(placed);
    else this.#finish();
  }

  /** Updates by how many of them fit into the thread's inputs at once. */
  #groups(): readonly (readonly Member[])[] {
    const groups: Member[][] = [];
    const room = inputBytes - this.#sortingBytes();
    const size = this.#groupSize();
    let bytes = room + 1;
    for (const [i, update] of this.#plan.init.updates.entries()) {
      const isIn = this.#pieces.some(({ plan }) => plan.values.includes(i));
      if (!isIn) continue;
      const input = planInput(update, this.#all, (index) => this.#isDecoded(update, index));
      if (bytes + input.bytes > room || groups.at(-1)?.length === size) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push({ update: i, input, at: this.#places.scratch.inputs + bytes });
      bytes += input.bytes;
    }
    return groups;
  }

  /** Rows that values are sorted in take the end of a thread's inputs. */
  #sortingBytes(): number {
    return Math.max(0, ...this.#pieces.map(({ plan }) => plan.sorting?.tileBytes ?? 0));
  }

  /** What is decoded is summed while it is in the second cache; where it is scanned first it would have to be decoded twice. */
  #groupSize(): number {
    const { isDecoded, isScanned, init } = this.#plan;
    return isDecoded && !isScanned && init.combine.kind === "mean" ? decodedTogether : Number.POSITIVE_INFINITY;
  }

  #isDecoded({ stored }: ReadableUpdate, index: number): boolean {
    const placed = this.#plan.isDecoded ? this.#pieces[index] : undefined;
    return placed !== undefined && placed.plan.int8Block === undefined && needsDecoding(stored[placed.piece.tensor], placed.plan.type);
  }

  /** Reads what the updates hold of the pieces, and lists where it is. */
  #bring(group: readonly Member[]): void {
    const { memory, slot } = this.#places;
    const addresses = memory.words(slot.lists + 8 * slotEntries, slotEntries);
    const scales = memory.words(slot.lists + 12 * slotEntries, slotEntries);
    for (const { update, input, at } of group) {
      const found = addInput(this.#program, input, this.#all, (index) => this.#isDecoded(input.update, index), at);
      for (const [index, { plan, entry }] of this.#pieces.entries()) {
        const position = plan.values.indexOf(update);
        const address = found[index];
        if (position < 0 || address === undefined) continue;
        addresses[entry + position] = address.at;
        scales[entry + position] = address.companionAt;
      }
    }
  }

  #scan(group: readonly Member[]): void {
    const { slot } = this.#places;
    for (const placed of this.#pieces) {
      const { first, count } = membersOf(placed, group);
      const { type, int8Block } = placed.plan;
      if (count === 0 || type === undefined) continue;
      const entry = placed.entry + first;
      const args = [count, addressesAt(slot, entry), placed.piece.count, slot.results + 16 * entry, 16];
      if (int8Block !== undefined) addCall(this.#program, "scanAllInt8", ...args, scalesAt(slot, entry), int8Block);
      else addCall(this.#program, `scanAll${type}`, ...args);
    }
  }

  #grid({ plan, index, entry }: PlacedPiece): void {
    const { slot } = this.#places;
    addCall(this.#program, "gridOf", slot.results + 16 * entry, 16, plan.values.length, slot.lists + 8 * entry, slot.grids + 16 * index);
  }

  #sum(group: readonly Member[]): void {
    for (const placed of this.#pieces) {
      const { first, count } = membersOf(placed, group);
      if (this.#made.has(placed) && placed.plan.sums === "exact") this.#addExactMean(placed);
      else if (count > 0) this.#addSum(placed, first, count);
      else if (placed.plan.values.length === 0) this.#begin(placed);
    }
  }

  /** Sums of no values are zeros. */
  #begin(placed: PlacedPiece): void {
    this.#addSum(placed, 0, 0);
  }

  #addSum(placed: PlacedPiece, first: number, count: number): void {
    const { slot } = this.#places;
    const { plan, piece, entry, index } = placed;
    const { type, sorting } = plan;
    if (type === undefined) return;
    if (sorting !== undefined) {
      const rows = this.#places.scratch.inputs + inputBytes - sorting.tileBytes;
      const inputs = addressesAt(slot, entry);
      addCall(
        this.#program,
        "trimmedMeanF32",
        count,
        sorting.cut,
        inputs,
        piece.count,
        this.#sumsAt(placed),
        sorting.steps,
        sorting.split,
        sorting.tiles,
        rows,
      );
      return;
    }
    const args = [
      count,
      first === 0 ? 1 : 0,
      this.#sumsAt(placed),
      piece.count,
      addressesAt(slot, entry + first),
      slot.lists + 8 * (entry + first),
    ];
    const scales = scalesAt(slot, entry + first);
    const flag = this.#made.has(placed) ? slot.flags + 4 * index : 0;
    if (plan.int8Block !== undefined && plan.sums === "exact")
      addCall(this.#program, "sumExactInt8", ...args, scales, plan.int8Block, slot.grids + 16 * index);
    else if (plan.int8Block !== undefined) addCall(this.#program, "sumSingleInt8", ...args, scales, plan.int8Block, flag);
    else if (plan.sums === "exact") addCall(this.#program, `sumExact${type}`, ...args, slot.grids + 16 * index);
    else if (plan.sums === "double" || type === "F64") addCall(this.#program, `sumDouble${type}`, ...args);
    else addCall(this.#program, `sumSingle${type}`, ...args, flag);
  }

  /** New values of exact sums in one pass. */
  #addExactMean(placed: PlacedPiece): void {
    const { slot } = this.#places;
    const { piece, plan, entry, index } = placed;
    const { type, int8Block } = plan;
    // Values of float64 are not made in one pass.
    if (type === undefined || type === "F64") return;
    const inputs = [plan.values.length, this.#sumsAt(placed), piece.count, addressesAt(slot, entry), slot.lists + 8 * entry];
    const out = [slot.grids + 16 * index, plan.weight, slot.out + piece.at, roundsToFinite[piece.dtype] ?? 0, slot.flags + 4 * index];
    if (int8Block === undefined) addCall(this.#program, `meanExact${type}`, ...inputs, ...out);
    else addCall(this.#program, "meanExactInt8", ...inputs, scalesAt(slot, entry), int8Block, ...out);
  }

  #addPartialSums(): void {
    const { scratch } = this.#places;
    for (const [i, { source, stored }] of this.#plan.init.updates.entries()) {
      const pieces = this.#pieces.filter(({ plan }) => plan.partial.includes(i));
      if (pieces.length === 0) continue;
      const { reads, pieces: found } = planReads(
        stored,
        pieces.map(({ piece }) => piece),
      );
      for (const read of reads) addRead(this.#program, source.fd ?? -1, scratch.inputs + read.at, read.bytes, read.position);
      for (const [index, placed] of pieces.entries()) {
        addCall(this.#program, "addSteps", this.#sumsAt(placed), scratch.inputs + (found[index]?.at ?? 0), placed.piece.count);
      }
    }
  }

  #storeSteps(placed: PlacedPiece): void {
    const { slot } = this.#places;
    const { piece, plan, index } = placed;
    addCall(
      this.#program,
      "stepsOf",
      plan.values.length,
      this.#sumsAt(placed),
      piece.count,
      slot.grids + 16 * index,
      slot.out + 8 * piece.element,
    );
  }

  /** Sums to new values, or to means where plain JavaScript goes on. */
  #finish(): void {
    const { scratch, slot } = this.#places;
    const { base } = this.#plan.init;
    const added = this.#pieces.filter(({ plan }) => plan.isStored && plan.isAddedToBase);
    const basePlan =
      base === undefined
        ? undefined
        : planReads(
            base.stored,
            added.map(({ piece }) => piece),
          );
    for (const read of basePlan?.reads ?? [])
      addRead(this.#program, base?.source.fd ?? -1, scratch.base + read.at, read.bytes, read.position);
    for (const placed of this.#pieces) {
      const { piece, plan, index } = placed;
      const type = kernelType(piece.dtype);
      if (type === undefined || this.#made.has(placed)) continue;
      const flag = slot.flags + 4 * index;
      const out = slot.out + piece.at;
      const limit = roundsToFinite[piece.dtype] ?? 0;
      const isPlain = plan.isStored && !plan.isAddedToBase && type === "F32";
      if (isPlain && (plan.sums === "single" || plan.sums === "middle")) {
        addCall(this.#program, "checkSingle", out, piece.count, flag);
      } else if (isPlain && plan.sums === "exact") {
        addCall(
          this.#program,
          "finishGridF32",
          plan.values.length,
          this.#sumsAt(placed),
          piece.count,
          slot.grids + 16 * index,
          plan.weight,
          out,
          limit,
          flag,
        );
      } else {
        const means = this.#addMeans(placed);
        if (!plan.isStored) continue;
        const at = basePlan?.pieces[added.indexOf(placed)]?.at;
        if (plan.isAddedToBase && at !== undefined) addCall(this.#program, `addBase${type}`, means, piece.count, scratch.base + at);
        addCall(this.#program, `store${type}`, means, piece.count, out, limit, flag);
      }
    }
  }

  /** Sums to float64 means. Gives where they are. */
  #addMeans(placed: PlacedPiece): number {
    const { slot } = this.#places;
    const { piece, plan, index } = placed;
    const sums = this.#sumsAt(placed);
    if (plan.sums === "exact")
      addCall(this.#program, "meansOfGrid", plan.values.length, sums, piece.count, slot.grids + 16 * index, plan.weight);
    else if (plan.sums === "double" || plan.type === "F64") addCall(this.#program, "meansOfDouble", sums, piece.count, plan.weight);
    else {
      const means = slot.means + 8 * piece.element;
      addCall(this.#program, "widen", sums, piece.count, means);
      return means;
    }
    return sums;
  }

  #sumsAt(placed: PlacedPiece): number {
    const { piece, plan } = placed;
    const { scratch, slot } = this.#places;
    const isSingle = plan.sums === "single" || plan.sums === "middle";
    if (isSingle && plan.isStored && !plan.isAddedToBase && piece.dtype === "F32") return slot.out + piece.at;
    if (plan.isStored || this.#plan.init.result === "sums" || isSingle) return scratch.sums + 8 * (this.#offsets.get(placed) ?? 0);
    return slot.means + 8 * piece.element;
  }
}

/** An update in a group of those that are held at once. */
interface Member {
  /** Its index in the list of updates. */
  readonly update: number;
  readonly input: TileInput;
  /** Address of what it takes of the thread's inputs. */
  readonly at: number;
}

/** Which of a piece's values are in a group: they follow each other, since both are in the order of updates. */
function membersOf({ plan }: PlacedPiece, group: readonly Member[]): { readonly first: number; readonly count: number } {
  const low = group[0]?.update ?? 0;
  const high = group.at(-1)?.update ?? -1;
  const first = plan.values.findIndex((i) => i >= low);
  if (first < 0) return { first: 0, count: 0 };
  const after = plan.values.findIndex((i) => i > high);
  return { first, count: (after < 0 ? plan.values.length : after) - first };
}

function addressesAt({ lists }: WorkSlot, entry: number): number {
  return lists + 8 * slotEntries + 4 * entry;
}

function scalesAt({ lists }: WorkSlot, entry: number): number {
  return lists + 12 * slotEntries + 4 * entry;
}

import { termBits } from "../exact/exact-scale.js";
import type { TensorPlace } from "../safetensors/layout.js";
import { batchBytes, blockElements } from "../session/batches.js";
import type { Scanned } from "../session/update-findings.js";
import { type Dtype, elementsOf, isFloatDtype } from "../tensor.js";
import { type CallableKernels, callableKernels } from "../wasm/callable-kernels.js";
import { magicOf } from "../wasm/fold-plan.js";
import { KernelMemory } from "../wasm/kernel-memory.js";
import type { KernelType } from "../wasm/kernel-names.js";
import { kernelThreads } from "../wasm/kernel-threads.js";
import { exhausted } from "../wasm/thread-scratch.js";
import { deviceOf, requireKernels, type WasmParts } from "../wasm/wasm-parts.js";
import { WorkSlots } from "../wasm/work-slots.js";
import type { StreamedTensor } from "./streamed-tensors.js";

export interface ModelSumsInit {
  readonly tensors: readonly TensorPlace[];
  /** The grid of each tensor for exact sums; `undefined` for sums in float32, of F64 tensors in float64. */
  readonly gridBits: Float64Array | undefined;
  readonly isSimdAllowed: boolean;
}

/** Where the sums of a floating tensor lie in the memory of the kernels. */
export interface SumsPlace {
  readonly address: number;
  /** Bytes of one sum. */
  readonly width: 4 | 8;
  /** Where the magic number and the power of two of its grid stand; 0 for sums that round. */
  readonly grid: number;
  /** Terms up to so large are on its grid for sure. */
  readonly room: number;
}

/** A place of one block in the memory of the kernels. */
export interface Staging {
  readonly address: number;
  readonly bytes: Uint8Array;
}

interface CallsOfType {
  readonly scan: (...args: number[]) => void;
  readonly sum: (...args: number[]) => void;
  /** Both at once, of float32. */
  readonly fold: ((...args: number[]) => void) | undefined;
}

type CallsByDtype = Readonly<Partial<Record<Dtype, CallsOfType>>>;

/** Bytes of the base for a batch: its reads begin at multiples of 64. */
const baseBytes = 2 * batchBytes;
/** Sums of no two tensors share a cache line. */
const alignment = 64;
const stagingBytes = 8 * blockElements;
const maxFloat32 = 2 ** 128 - 2 ** 104;
/** What a call is told and tells: an address, a factor, two results of a scan. */
const callBytes = 64;

/** The sums of all floating tensors of a model, in the memory of the kernels, and what adds blocks to them on the caller's thread. */
export class ModelSums {
  readonly parts: WasmParts;
  readonly kernels: CallableKernels;
  /** By tensor of the model; `undefined` for integers. */
  readonly places: readonly (SumsPlace | undefined)[];
  readonly isExact: boolean;
  /** Where bytes of the base go. */
  readonly base: number;
  readonly #calls: CallsByDtype;
  readonly #call: number;
  readonly #inputs: Uint32Array;
  readonly #factors: Float64Array;
  readonly #results: Float64Array;
  /** Elements of each tensor that hold a sum; those behind them hold anything. */
  readonly #begun: Float64Array;

  private constructor(
    parts: WasmParts,
    kernels: CallableKernels,
    places: readonly (SumsPlace | undefined)[],
    call: number,
    init: ModelSumsInit,
  ) {
    const { memory } = parts;
    this.parts = parts;
    this.kernels = kernels;
    this.places = places;
    this.isExact = init.gridBits !== undefined;
    this.#calls = callsByDtype(kernels, this.isExact);
    this.#call = call;
    this.#inputs = memory.words(call, 1);
    this.#factors = memory.doubles(call + 8, 1);
    this.#results = memory.doubles(call + 16, 2);
    this.base = call + callBytes;
    this.#begun = new Float64Array(places.length);
  }

  /** Takes the memory for a model. @throws `aggregate/memory-exhausted`, `aggregate/engine-unavailable` */
  static async create(init: ModelSumsInit): Promise<ModelSums> {
    const module = await requireKernels(init.isSimdAllowed);
    const memory = new KernelMemory(module);
    const slots = new WorkSlots(memory, 1);
    // What finishing needs is taken now: once updates are summed it is too late to find that there is no room.
    slots.giveBack(await slots.take());
    const { tensors, gridBits } = init;
    const grids = allocate(memory, 16 * tensors.length);
    const call = allocate(memory, callBytes + baseBytes);
    let end = 0;
    const offsets = tensors.map(({ dtype, shape }) => {
      const offset = end;
      if (isFloatDtype(dtype)) end += Math.ceil((widthOf(dtype, gridBits) * (elementsOf(shape) ?? 0)) / alignment) * alignment;
      return offset;
    });
    const sums = allocate(memory, end);
    const places = tensors.map(({ dtype }, tensor): SumsPlace | undefined => {
      if (!isFloatDtype(dtype)) return undefined;
      const place = { address: sums + (offsets[tensor] ?? 0), width: widthOf(dtype, gridBits), grid: 0, room: 0 };
      if (gridBits === undefined) return place;
      const bits = gridBits[tensor] ?? 0;
      const grid = grids + 16 * tensor;
      memory.doubles(grid, 2).set([magicOf(bits), 2 ** bits]);
      return { ...place, grid, room: 2 ** (termBits - 1 - bits) };
    });
    const parts = { memory, threads: kernelThreads(module, memory, 1), slots, device: deviceOf(module, 1) };
    return new ModelSums(parts, callableKernels(module, memory), places, call, init);
  }

  /** A place for the bytes of a block. @throws `aggregate/memory-exhausted` */
  openStaging(): Staging {
    const address = allocate(this.parts.memory, stagingBytes);
    return { address, bytes: this.parts.memory.view(address, stagingBytes) };
  }

  closeStaging({ address }: Staging): void {
    this.parts.memory.free(address, stagingBytes);
  }

  /** Looks through the first elements of a place. */
  scan({ address }: Staging, { dtype }: StreamedTensor, count: number): Scanned {
    this.#calls[dtype]?.scan(address, count, this.#call + 16);
    return this.#scanned();
  }

  /** Adds factor × elements to sums. A tensor's elements are added from the first on. */
  add({ address }: Staging, { tensor, dtype }: StreamedTensor, firstElement: number, count: number, factor: number): void {
    const place = this.places[tensor];
    if (place === undefined) return;
    const isFirst = this.#begin(tensor, firstElement, count);
    this.#inputs[0] = address;
    this.#factors[0] = factor;
    const sums = place.address + place.width * firstElement;
    this.#calls[dtype]?.sum(1, isFirst, sums, count, this.#call, this.#call + 8, place.grid);
  }

  /**
   * Does what `scan` and `add` do in one pass, which is faster. Gives `undefined` and adds nothing where there is no such kernel or
   * exact sums have no room for sure: then `scan` tells. Sums in float32 take whatever there is.
   */
  fold({ address }: Staging, { tensor, dtype }: StreamedTensor, firstElement: number, count: number, factor: number): Scanned | undefined {
    const place = this.places[tensor];
    const fold = this.#calls[dtype]?.fold;
    if (place === undefined || fold === undefined) return undefined;
    const isFirst = this.#begin(tensor, firstElement, count);
    const sums = place.address + place.width * firstElement;
    const results = this.#call + 16;
    if (!this.isExact) {
      fold(address, count, factor, isFirst, sums, results);
      return this.#scanned();
    }
    fold(address, count, factor, isFirst, sums, place.grid, results);
    const scanned = this.#scanned();
    if (scanned.maxAbs <= Math.min(place.room / Math.abs(factor), maxFloat32)) return scanned;
    this.kernels.unfoldExactF32(address, count, factor, sums, place.grid);
    return undefined;
  }

  /** Makes exact sums what they were before the same elements were added with the same factor. */
  takeAway(staging: Staging, streamed: StreamedTensor, firstElement: number, count: number, factor: number): void {
    const place = this.places[streamed.tensor];
    if (place === undefined) return;
    this.add(staging, streamed, firstElement, count, -factor);
    // A term and its contrary have each left the bits of the magic number.
    const sums = place.address + place.width * firstElement;
    this.kernels.stepsOf(2, sums, count, place.grid, sums);
  }

  /** Begins anew with sums of nothing. */
  restart(): void {
    this.#begun.fill(0);
  }

  /** Whether these elements hold no sums yet, as 1 or 0; then they do. */
  #begin(tensor: number, firstElement: number, count: number): 0 | 1 {
    if (firstElement < (this.#begun[tensor] as number)) return 0;
    this.#begun[tensor] = firstElement + count;
    return 1;
  }

  #scanned(): Scanned {
    return { maxAbs: this.#results[0] as number, squares: this.#results[1] as number };
  }
}

function widthOf(dtype: Dtype, gridBits: Float64Array | undefined): 4 | 8 {
  return gridBits === undefined && dtype !== "F64" ? 4 : 8;
}

/** What is called for each block, looked up once: by name it would take longer than a small block does. */
function callsByDtype(kernels: CallableKernels, isExact: boolean): CallsByDtype {
  const foldF32 = isExact ? kernels.foldExactF32 : kernels.foldSingleF32;
  const calls = (type: KernelType): CallsOfType => ({
    scan: kernels[`scan${type}`],
    sum: isExact ? kernels[`sumExact${type}`] : type === "F64" ? kernels.sumDoubleF64 : kernels[`sumSingle${type}`],
    fold: type === "F32" ? foldF32 : undefined,
  });
  return { F64: calls("F64"), F32: calls("F32"), F16: calls("F16"), BF16: calls("Bf16") };
}

function allocate(memory: KernelMemory, bytes: number): number {
  const address = memory.allocate(bytes);
  if (address === undefined) throw exhausted(bytes);
  return address;
}

import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../abort.js";
import { batchElements, batchPieces, blockElements } from "../session/batches.js";
import type { Scanned } from "../session/update-findings.js";
import { type CallableKernels, callableKernels } from "../wasm/callable-kernels.js";
import { magicOf } from "../wasm/fold-plan.js";
import { KernelMemory } from "../wasm/kernel-memory.js";
import type { KernelType } from "../wasm/kernel-names.js";
import { exhausted } from "../wasm/thread-scratch.js";
import { requireKernels } from "../wasm/wasm-parts.js";
import { Keystream, keystreamBytes } from "./keystream.js";
import type { Mask } from "./mask.js";

/** Words of a batch at most. */
export const maxWords = batchElements;
/** Bytes that are read for a batch: at most 8 for an element, value and index of sparse ones, and each of two reads for a piece begins at a multiple of 64. */
const inputBytes = 8 * batchElements + 2 * 64 * batchPieces;
/** Bytes of a piece that was decoded to float32. */
const decodedBytes = 4 * blockElements;
/** Keystream between two looks at what else the process has to do: some milliseconds. */
const turnBytes = 16 * 1024 * 1024;
/** Where a call stands: an address, a factor, two results of a scan, a grid, a limit, a flag. */
const callBytes = 64;

/** 64-bit words of a batch in the memory of the kernels, and what is done with them. */
export class WordKernels {
  /** What is done, word by word, modulo 2^64. */
  readonly words: BigInt64Array;
  /** Where bytes are read to: of an update, or of other words. */
  readonly input: Uint8Array;
  readonly #memory: KernelMemory;
  readonly #kernels: CallableKernels;
  readonly #at: { readonly words: number; readonly input: number; readonly mask: number; readonly call: number };
  #turn = 0;

  private constructor(memory: KernelMemory, kernels: CallableKernels) {
    const take = (bytes: number): number => {
      const address = memory.allocate(bytes);
      if (address === undefined) throw exhausted(bytes);
      return address;
    };
    this.#memory = memory;
    this.#kernels = kernels;
    this.#at = { words: take(8 * maxWords), input: take(inputBytes + decodedBytes), mask: take(keystreamBytes), call: take(callBytes) };
    const { buffer, byteOffset } = memory.view(this.#at.words, 8 * maxWords);
    this.words = new BigInt64Array(buffer, byteOffset, maxWords);
    this.input = memory.view(this.#at.input, inputBytes);
  }

  /** Takes 5 MiB. @throws `aggregate/engine-unavailable`, `aggregate/memory-exhausted` */
  static async create(): Promise<WordKernels> {
    const module = await requireKernels(true);
    const memory = new KernelMemory(module);
    return new WordKernels(memory, callableKernels(module, memory));
  }

  /** Overwrites all that was in the memory. */
  wipe(): void {
    this.#memory.view(this.#at.words, 8 * maxWords).fill(0);
    this.#memory.view(this.#at.input, inputBytes + decodedBytes).fill(0);
    this.#memory.view(this.#at.mask, keystreamBytes).fill(0);
  }

  /** The first words as bytes. */
  bytes(count: number): Uint8Array {
    return this.#memory.view(this.#at.words, 8 * count);
  }

  /** Puts a piece that was decoded behind all that may have been read. Gives where it lies, as a place in `input`. */
  putDecoded({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): number {
    this.#memory.view(this.#at.input + inputBytes, decodedBytes).set(new Uint8Array(buffer, byteOffset, byteLength));
    return inputBytes;
  }

  /** Looks through elements in `input`. */
  scan(type: KernelType, inputAt: number, count: number): Scanned {
    const result = this.#at.call + 16;
    this.#kernels[`scan${type}`](this.#at.input + inputAt, count, result);
    const [maxAbs = 0, squares = 0] = this.#memory.doubles(result, 2);
    return { maxAbs, squares };
  }

  /** Makes words of elements in `input`: each times a factor, in whole steps of a grid. */
  terms(type: KernelType, inputAt: number, { from, count }: WordRange, factor: number, gridBits: number): void {
    const { call, words, input } = this.#at;
    this.#memory.words(call, 1)[0] = input + inputAt;
    this.#memory.doubles(call + 8, 1)[0] = factor;
    const grid = call + 32;
    this.#memory.doubles(grid, 2).set([magicOf(gridBits), 2 ** gridBits]);
    const to = words + 8 * from;
    this.#kernels[`sumExact${type}`](1, 1, to, count, call, call + 8, grid);
    this.#kernels.stepsOf(1, to, count, grid, to);
  }

  /** Adds words that lie in `input` to the first ones. */
  addInput(count: number): void {
    this.#kernels.addSteps(this.#at.words, this.#at.input, count);
  }

  /** Whether no word of a range is beyond a magnitude. */
  areWithin({ from, count }: WordRange, most: bigint): boolean {
    const { call, words } = this.#at;
    const limit = call + 48;
    new BigInt64Array(this.#memory.memory.buffer, limit, 1)[0] = most;
    this.#kernels.checkSteps(words + 8 * from, count, limit, call + 56);
    return this.#memory.words(call + 56, 1)[0] === 0;
  }

  /**
   * Adds the next keystream of masks to the first words, by their signs. Lets the process do something else now and then.
   *
   * @throws `internal/aborted`
   */
  async add(streams: readonly SignedStream[], count: number, signal: AbortSignal | undefined): Promise<void> {
    const { words, mask } = this.#at;
    for (let done = 0; done < 8 * count; done += keystreamBytes) {
      const bytes = Math.min(keystreamBytes, 8 * count - done);
      const place = this.#memory.view(mask, bytes);
      for (const { sign, stream } of streams) {
        stream.writeNext(place);
        this.#kernels[sign === 1 ? "addSteps" : "subtractSteps"](words + done, mask, bytes / 8);
        this.#turn += bytes;
        if (this.#turn < turnBytes) continue;
        this.#turn = 0;
        throwIfAborted(signal);
        await setImmediate();
      }
    }
  }
}

/**
 * What no call uses at the moment. Memory of WebAssembly goes back to the system only when the garbage collector finds it, which
 * let a process grow by 400 MB in 200 calls; and compiling takes ten times as long as masking a small model.
 */
let idle: WordKernels | undefined;

/** Lends kernels, those that another call has left or new ones, and wipes them afterwards. @throws as `WordKernels.create`, and as `use` */
export async function withKernels<Result>(use: (kernels: WordKernels) => Promise<Result>): Promise<Result> {
  const kernels = idle ?? (await WordKernels.create());
  if (kernels === idle) idle = undefined;
  try {
    return await use(kernels);
  } finally {
    kernels.wipe();
    idle = kernels;
  }
}

/** Some of the words. */
export interface WordRange {
  readonly from: number;
  readonly count: number;
}

/** The keystream of a mask, and whether it is added or taken away. */
export interface SignedStream {
  readonly sign: 1 | -1;
  readonly stream: Keystream;
}

/** The keystreams of masks from their beginning: to be added as they are, or taken out again. */
export function streamsOf(masks: readonly Mask[], direction: "in" | "out"): readonly SignedStream[] {
  return masks.map((mask) => ({ sign: direction === "in" ? mask.sign : mask.sign === 1 ? -1 : 1, stream: new Keystream(mask.seed) }));
}

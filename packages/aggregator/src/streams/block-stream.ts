import { FlareError } from "@flare-ts/contracts/errors";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import { StreamedHeader } from "../safetensors/streamed-header.js";
import { blockElements } from "../session/batches.js";
import { dtypeBytes } from "../tensor.js";
import type { StreamedTensor } from "./streamed-tensors.js";

export interface BlockStreamInit {
  /** How messages call the stream. */
  readonly label: string;
  /** Takes the bytes of one block: `blockElements` of the widest type. */
  readonly staging: Uint8Array;
  /** Told once what the header says; gives the tensors that follow. */
  readonly begin: (layout: SafetensorsLayout) => readonly StreamedTensor[];
  /** Told of each block when its elements are complete in `staging`: a block, or the rest of a tensor. */
  readonly onBlock: (tensor: StreamedTensor, firstElement: number, count: number) => void;
}

/** Cuts a safetensors file that arrives in chunks, cut anywhere, into the blocks of its tensors. */
export class BlockStream {
  readonly #init: BlockStreamInit;
  readonly #header: StreamedHeader;
  #tensors: readonly StreamedTensor[] | undefined;
  #tensor = 0;
  #firstElement = 0;
  /** Bytes of the block in work that are in `staging`. */
  #filled = 0;
  #bytes = 0;
  #isStopped = false;

  constructor(init: BlockStreamInit) {
    this.#init = init;
    this.#header = new StreamedHeader(init.label);
  }

  /** Bytes that were taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the last byte of the last tensor has arrived. */
  get isComplete(): boolean {
    return this.#tensors !== undefined && this.#current() === undefined;
  }

  /**
   * Takes the next bytes, which may be used again at once.
   *
   * @throws `aggregate/safetensors-…`, and what `begin` and `onBlock` throw, after which the stream is not to be used any more
   */
  write(chunk: Uint8Array): void {
    const { staging, onBlock } = this.#init;
    let at = this.#takeHeader(chunk);
    // A Buffer's own copying is as fast at any address; typed arrays copy byte by byte into shared memory where addresses are odd.
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (at < chunk.byteLength && !this.#isStopped) {
      const tensor = this.#current();
      if (tensor === undefined) throw this.#beyond(chunk.byteLength - at);
      const count = Math.min(blockElements, tensor.elements - this.#firstElement);
      const wanted = count * dtypeBytes[tensor.dtype] - this.#filled;
      const some = Math.min(wanted, chunk.byteLength - at);
      buffer.copy(staging, this.#filled, at, at + some);
      this.#filled += some;
      this.#bytes += some;
      at += some;
      if (some < wanted) return;
      onBlock(tensor, this.#firstElement, count);
      this.#firstElement += count;
      this.#filled = 0;
    }
  }

  /** Passes over everything that follows the block in work. */
  stop(): void {
    this.#isStopped = true;
  }

  #takeHeader(chunk: Uint8Array): number {
    if (this.#tensors !== undefined) return 0;
    const layout = this.#header.take(chunk);
    const taken = this.#header.bytes - this.#bytes;
    this.#bytes = this.#header.bytes;
    if (layout !== undefined) this.#tensors = this.#init.begin(layout);
    return taken;
  }

  /** The tensor that the next byte belongs to. */
  #current(): StreamedTensor | undefined {
    let tensor = this.#tensors?.[this.#tensor];
    while (tensor !== undefined && this.#firstElement === tensor.elements) {
      this.#tensor += 1;
      this.#firstElement = 0;
      tensor = this.#tensors?.[this.#tensor];
    }
    return tensor;
  }

  #beyond(more: number): FlareError {
    const { label } = this.#init;
    return new FlareError("aggregate/safetensors-offsets", `${label}: at least ${more} bytes after the last tensor belong to none.`, {
      facts: { file: label, expectedBytes: this.#bytes },
    });
  }
}

import { type AdviseHugePages, hugePages } from "./huge-pages.js";
import type { KernelModule } from "./kernel-module.js";
import type { WasmMemory } from "./web-assembly.js";

export const pageBytes = 65_536;
/** Address space of 32-bit WebAssembly. */
const maxPages = 65_536;
/** A cache line, so that no two allocations share one. */
const alignment = 64;

/** Part of the memory. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
}

/**
 * The memory that kernels see, shared by all threads. It grows up to 4 GiB and, as WebAssembly memory does, never shrinks;
 * what is freed is used again.
 */
export class KernelMemory {
  readonly memory: WasmMemory;
  /** In the order of addresses; no two touch. */
  #free: Block[] = [];
  #bytes: Uint8Array;
  readonly #advise: AdviseHugePages | undefined = hugePages();

  constructor({ api }: KernelModule) {
    this.memory = new api.Memory({ initial: 1, maximum: maxPages, shared: true });
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#free = [{ address: alignment, bytes: pageBytes - alignment }];
  }

  /** Bytes that were taken from the system so far. */
  get size(): number {
    return this.memory.buffer.byteLength;
  }

  /** Gives the address of so many bytes, at a multiple of 64; `undefined` where there is no room or the system has none. */
  allocate(bytes: number): number | undefined {
    const wanted = roundUp(Math.max(1, bytes));
    const at = this.#free.findIndex((block) => block.bytes >= wanted);
    const found = this.#free[at];
    if (found === undefined) return this.#grow(wanted) ? this.allocate(bytes) : undefined;
    const rest = { address: found.address + wanted, bytes: found.bytes - wanted };
    this.#free.splice(at, 1, ...(rest.bytes > 0 ? [rest] : []));
    return found.address;
  }

  /** Takes back what `allocate` gave for so many bytes. */
  free(address: number, bytes: number): void {
    let block: Block = { address, bytes: roundUp(Math.max(1, bytes)) };
    let at = this.#free.findIndex((other) => other.address > address);
    if (at < 0) at = this.#free.length;
    const after = this.#free[at];
    if (after !== undefined && block.address + block.bytes === after.address) {
      block = { address: block.address, bytes: block.bytes + after.bytes };
      this.#free.splice(at, 1);
    }
    const before = this.#free[at - 1];
    if (before !== undefined && before.address + before.bytes === block.address) {
      this.#free[at - 1] = { address: before.address, bytes: before.bytes + block.bytes };
    } else this.#free.splice(at, 0, block);
  }

  /** The bytes at an address; stays valid when the memory grows. */
  view(address: number, bytes: number): Uint8Array {
    if (address + bytes > this.#bytes.byteLength) this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes.subarray(address, address + bytes);
  }

  /** Float64 at an address that is a multiple of 8. */
  doubles(address: number, count: number): Float64Array {
    const { buffer, byteOffset } = this.view(address, 8 * count);
    return new Float64Array(buffer, byteOffset, count);
  }

  /** Unsigned 32-bit integers at an address that is a multiple of 4. */
  words(address: number, count: number): Uint32Array {
    const { buffer, byteOffset } = this.view(address, 4 * count);
    return new Uint32Array(buffer, byteOffset, count);
  }

  #grow(wanted: number): boolean {
    const end = this.size;
    const last = this.#free.at(-1);
    const atEnd = last !== undefined && last.address + last.bytes === end ? last.bytes : 0;
    const pages = Math.ceil((wanted - atEnd) / pageBytes);
    if (end / pageBytes + pages > maxPages) return false;
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#advise?.(this.memory.buffer, end, this.size);
    this.free(end, pages * pageBytes);
    return true;
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

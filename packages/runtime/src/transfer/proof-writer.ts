import { createHash } from "node:crypto";
import { FlareError, limits } from "@flare-ts/contracts";
import type { ObjectRef, ObjectWriter, StoredObject } from "../store/model-store.js";

/** Hashes what is sent of an object that the store holds already, so that its sender proves to have it; nothing is written. */
export class ProofWriter implements ObjectWriter {
  readonly #held: StoredObject;
  readonly #hash = createHash("sha256");
  #offset = 0;

  constructor(held: StoredObject) {
    this.#held = held;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#take(chunk);
    return await Promise.resolve();
  }

  async writeZeros(length: number): Promise<void> {
    const zeros = Buffer.alloc(Math.min(length, limits.chunkBytes));
    for (let left = length; left > 0; left -= zeros.byteLength) this.#take(zeros.subarray(0, Math.min(left, zeros.byteLength)));
    return await Promise.resolve();
  }

  /** @throws FlareError `transfer/hash-mismatch` */
  async commit(): Promise<StoredObject> {
    const { hash, size }: ObjectRef = this.#held;
    if (this.#offset === size && this.#hash.digest("hex") === hash) return await Promise.resolve(this.#held);
    throw new FlareError("transfer/hash-mismatch", `The ${this.#offset} bytes that were sent are not those of object ${hash}.`, {
      facts: { expected: hash, size },
    });
  }

  async close(): Promise<void> {
    return await Promise.resolve();
  }

  #take(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#offset += bytes.byteLength;
  }
}

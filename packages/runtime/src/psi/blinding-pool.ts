import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { FlareError, type SerializedFlareError } from "@flare-ts/contracts/errors";
import { programPath } from "../installed.js";
import { type BlindingWork, blind } from "./blind.js";

/** What a thread says of a batch. */
export type BlindedBatch =
  | { readonly id: number; readonly points: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: SerializedFlareError };

interface Waiting {
  readonly resolve: (points: Uint8Array) => void;
  readonly reject: (reason: unknown) => void;
}

/** Blinds batches in as many threads as there are processors, or in this one where Node's permission model allows no others. */
export class BlindingPool {
  readonly #key: Uint8Array;
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  private constructor(key: Uint8Array, workers: readonly Worker[]) {
    this.#key = key;
    this.#workers = workers;
    for (const worker of workers) {
      worker.on("message", (batch: BlindedBatch) => this.#take(batch));
      worker.on("error", (reason) => this.#fail(reason));
      worker.unref();
    }
  }

  /** @param threads - @default as many as there are processors, eight at most */
  static open(key: Uint8Array, threads: number = Math.min(8, availableParallelism())): BlindingPool {
    return new BlindingPool(key, threads > 1 ? startWorkers(key, threads) : []);
  }

  /** Batches that are worth having under way at once. */
  get width(): number {
    return Math.max(1, 2 * this.#workers.length);
  }

  /** @throws FlareError `client-api/result-invalid` for what is no point */
  async blind(work: BlindingWork): Promise<Uint8Array> {
    const id = this.#next;
    this.#next += 1;
    const worker = this.#workers[id % Math.max(1, this.#workers.length)];
    if (worker === undefined) {
      // Whoever shares this thread is heard between two batches.
      await setImmediate();
      return blind(this.#key, work);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#waiting.set(id, { resolve, reject });
    worker.ref();
    worker.postMessage({ id, work }, []);
    return await promise;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #take(batch: BlindedBatch): void {
    const waiting = this.#waiting.get(batch.id);
    this.#waiting.delete(batch.id);
    if (this.#waiting.size === 0) for (const worker of this.#workers) worker.unref();
    if ("points" in batch) waiting?.resolve(batch.points);
    else waiting?.reject(FlareError.fromJSON(batch.error));
  }

  #fail(reason: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

function startWorkers(key: Uint8Array, threads: number): readonly Worker[] {
  try {
    return Array.from({ length: threads }, () => new Worker(programPath("psi/blinding-thread"), { workerData: Uint8Array.from(key) }));
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED") return [];
    throw reason;
  }
}

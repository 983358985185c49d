import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { hugePages } from "@flare-ts/aggregator/kernels";
import { bandwidthModule } from "./bandwidth-module.ts";

/** What moves memory. */
export type BandwidthName = "read" | "readFour" | "copy" | "triad";

/** Threads that move memory of their own, the same for all of them, as fast as the machine can. */
export interface BandwidthThreads {
  /** Bytes that one run on so many threads moves: read and written ones together. */
  bytes(name: BandwidthName, threads: number): number;
  /** Milliseconds of one run on so many threads. */
  run(name: BandwidthName, threads: number): Promise<number>;
  close(): Promise<void>;
}

/** The part of WebAssembly's interface that is used here; its types otherwise come with those of browsers only. */
interface WebAssemblyApi {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
}

const pageBytes = 65_536;
/** Arrays that each of them moves through. */
const arrays: Readonly<Record<BandwidthName, number>> = { read: 1, readFour: 1, copy: 2, triad: 3 };

/**
 * Starts so many threads with memory of so many bytes, which should be several times larger than the last cache. `undefined` where
 * the process has no WebAssembly.
 */
export function bandwidthThreads(count: number, memoryBytes: number): BandwidthThreads | undefined {
  const api = (globalThis as { readonly WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (api === undefined) return undefined;
  // One more page: address 0 stays free, and streams begin at a multiple of a page.
  const pages = Math.ceil(memoryBytes / pageBytes) + 1;
  const memory = new api.Memory({ initial: pages, maximum: pages, shared: true });
  // As the kernels have their memory.
  hugePages()?.(memory.buffer, 0, memory.buffer.byteLength);
  // Pages that were never written to are all the same one.
  new Float32Array(memory.buffer).fill(1);
  const workerData = { module: new api.Module(bandwidthModule()), memory };
  const workers = Array.from({ length: count }, () => new Worker(threadText, { eval: true, workerData, execArgv: [] }));
  const bytesOf = (name: BandwidthName, threads: number): number => {
    const share = (pages - 1) * pageBytes;
    return Math.floor(share / threads / arrays[name] / 256) * 256 * arrays[name];
  };
  return {
    bytes: (name, threads) => threads * bytesOf(name, threads),
    run: async (name, threads) => {
      const perThread = bytesOf(name, threads);
      const start = performance.now();
      await Promise.all(
        workers.slice(0, threads).map(async (worker, thread) => {
          const at = pageBytes + thread * perThread;
          const array = perThread / arrays[name];
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
          worker.postMessage([name, [...Array.from({ length: arrays[name] }, (_, i) => at + i * array), array]]);
          await once(worker, "message");
        }),
      );
      return performance.now() - start;
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

const threadText = `
const { parentPort, workerData } = require("node:worker_threads");
const { exports } = new WebAssembly.Instance(workerData.module, { env: { memory: workerData.memory } });
parentPort.on("message", ([name, args]) => parentPort.postMessage(exports[name](...args) ?? 0));
`;

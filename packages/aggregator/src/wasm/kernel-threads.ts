import { Worker } from "node:worker_threads";
import { FlareError } from "@flare-ts/contracts";
import type { KernelMemory } from "./kernel-memory.js";
import type { KernelModule } from "./kernel-module.js";
import { kernelNames } from "./kernel-names.js";
import { runKernelCalls } from "./run-kernel-calls.js";

/** Calls of kernels for one thread, as `runKernelCalls` takes them. */
export type KernelCalls = number[];

/** Runs kernels: on the caller's thread, or on several others. */
export interface KernelThreads {
  readonly count: number;
  /**
   * Runs the calls of each thread, thread by thread in the order given; resolves when all are done. Several runs may be under
   * way; each thread takes them in the order in which they were asked for.
   *
   * @param calls - one array for each thread
   * @throws `aggregate/threads-ended`
   */
  run(calls: readonly KernelCalls[]): Promise<void>;
  /** Ends the threads; what runs is refused. */
  close(): Promise<void>;
}

/** Starts so many threads for kernels; with one it is the caller's, and none is started. */
export function kernelThreads(kernels: KernelModule, memory: KernelMemory, count: number): KernelThreads {
  return count === 1 ? callerThread(kernels, memory) : new WorkerThreads(kernels, memory, count);
}

/** Runs kernels on the thread that asks, which is busy meanwhile: up to a millisecond a call. */
function callerThread({ api, module }: KernelModule, { memory }: KernelMemory): KernelThreads {
  const { exports } = new api.Instance(module, { env: { memory } });
  const kernels = kernelNames.map((name) => exports[name] as (...args: number[]) => void);
  return {
    count: 1,
    run: async (calls) => {
      for (const each of calls) runKernelCalls(kernels, each);
    },
    close: async () => {},
  };
}

interface Run {
  waitingFor: number;
  readonly resolve: () => void;
  readonly reject: (cause: FlareError) => void;
}

/** Runs kernels on threads of their own, which see the same memory. Idle threads do not keep the process alive. */
class WorkerThreads implements KernelThreads {
  readonly count: number;
  readonly #workers: readonly Worker[];
  readonly #runs = new Map<number, Run>();
  #nextRun = 0;
  #ended: FlareError | undefined;

  constructor({ module }: KernelModule, { memory }: KernelMemory, count: number) {
    this.count = count;
    this.#workers = Array.from({ length: count }, () => {
      // As text, so that it is found wherever this file ends up: in a bundle, in a test, behind permissions on files.
      const worker = new Worker(threadText, { eval: true, workerData: { module, memory, kernelNames }, execArgv: [], stdin: false });
      worker.on("message", (run: number) => this.#finishPart(run));
      worker.on("error", (cause) => this.#end(cause));
      worker.on("exit", () => this.#end(undefined));
      // After the listeners: one for messages keeps the process alive again.
      worker.unref();
      return worker;
    });
  }

  run(calls: readonly KernelCalls[]): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextRun;
    this.#nextRun += 1;
    return new Promise((resolve, reject) => {
      if (this.#runs.size === 0) for (const worker of this.#workers) worker.ref();
      this.#runs.set(id, { waitingFor: calls.length, resolve, reject });
      for (const [thread, each] of calls.entries()) this.#workers[thread]?.postMessage([id, each]);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #finishPart(id: number): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    run.waitingFor -= 1;
    if (run.waitingFor > 0) return;
    this.#runs.delete(id);
    if (this.#runs.size === 0) for (const worker of this.#workers) worker.unref();
    run.resolve();
  }

  #end(cause: unknown): void {
    this.#ended ??= new FlareError("aggregate/threads-ended", "A thread of the aggregation engine ended.", { cause });
    for (const { reject } of this.#runs.values()) reject(this.#ended);
    this.#runs.clear();
  }
}

const threadText = `
const { parentPort, workerData } = require("node:worker_threads");
const { exports: kernelsByName } = new WebAssembly.Instance(workerData.module, { env: { memory: workerData.memory } });
const kernels = workerData.kernelNames.map((name) => kernelsByName[name]);
const run = ${runKernelCalls.toString()};
parentPort.on("message", ([id, calls]) => {
  run(kernels, calls);
  parentPort.postMessage(id);
});
`;

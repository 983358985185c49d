import { readSync } from "node:fs";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { FlareError } from "@flare-ts/contracts/errors";
import { callableKernels } from "./callable-kernels.js";
import type { KernelMemory } from "./kernel-memory.js";
import type { KernelModule } from "./kernel-module.js";
import { kernelNames } from "./kernel-names.js";
import { type KernelProgram, type ReadFailure, runProgram } from "./kernel-program.js";
import { refreshMemory } from "./refresh-memory.js";
import { type ThreadScratch, threadScratch } from "./thread-scratch.js";

/** One of the threads that run programs, with places of its own that stay in its cache. */
export interface KernelThread {
  readonly scratch: ThreadScratch;
  /**
   * Runs a program; several may be asked for, and are run in that order. Resolves with the read that failed, if one did: what
   * came after it was not done.
   *
   * @throws `aggregate/threads-ended`
   */
  run(program: KernelProgram): Promise<ReadFailure | undefined>;
}

/** Runs programs of kernels and reads: on the caller's thread, or on several others. */
export interface KernelThreads {
  readonly count: number;
  /** The thread with the least to do. @throws `aggregate/memory-exhausted` */
  next(): KernelThread;
  /** Ends the threads; what runs is refused. */
  close(): Promise<void>;
}

/** Starts so many threads for kernels; with one it is the caller's, and none is started. */
export function kernelThreads(kernels: KernelModule, memory: KernelMemory, count: number): KernelThreads {
  return count === 1 ? callerThread(kernels, memory) : new WorkerThreads(kernels, memory, count);
}

/** Runs programs on the thread that asks, which is busy meanwhile: some milliseconds for a program. */
function callerThread(module: KernelModule, memory: KernelMemory): KernelThreads {
  const callable = callableKernels(module, memory);
  const kernels = kernelNames.map((name) => callable[name]);
  let scratch: ThreadScratch | undefined;
  return {
    count: 1,
    next: () => {
      scratch ??= threadScratch(memory);
      return { scratch, run: async (program) => runProgram(kernels, program, memory.memory, readSync) };
    },
    close: async () => {},
  };
}

interface Run {
  readonly thread: number;
  readonly resolve: (failure: ReadFailure | undefined) => void;
  readonly reject: (cause: FlareError) => void;
}

/** Runs programs on threads of their own, which see the same memory. Idle threads do not keep the process alive. */
class WorkerThreads implements KernelThreads {
  readonly count: number;
  readonly #memory: KernelMemory;
  readonly #workers: readonly Worker[];
  readonly #threads: (KernelThread | undefined)[] = [];
  readonly #queued: number[];
  readonly #runs = new Map<number, Run>();
  #nextRun = 0;
  #ended: FlareError | undefined;

  constructor({ module }: KernelModule, memory: KernelMemory, count: number) {
    this.count = count;
    this.#memory = memory;
    this.#queued = Array.from({ length: count }, () => 0);
    this.#workers = Array.from({ length: count }, () => {
      const workerData = { module, memory: memory.memory, kernelNames };
      // As text, so that it is found wherever this file ends up: in a bundle, in a test, behind permissions on files.
      const worker = new Worker(threadText, { eval: true, workerData, stdin: false, ...ownFlags() });
      worker.on("message", ([id, failure]: [number, ReadFailure | undefined]) => this.#finish(id, failure));
      worker.on("error", (cause) => this.#end(cause));
      worker.on("exit", () => this.#end(undefined));
      // After the listeners: one for messages keeps the process alive again.
      worker.unref();
      return worker;
    });
  }

  next(): KernelThread {
    const thread = this.#queued.indexOf(Math.min(...this.#queued));
    this.#threads[thread] ??= { scratch: threadScratch(this.#memory), run: (program) => this.#run(thread, program) };
    return this.#threads[thread];
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #run(thread: number, program: KernelProgram): Promise<ReadFailure | undefined> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextRun;
    this.#nextRun += 1;
    return new Promise((resolve, reject) => {
      if (this.#runs.size === 0) for (const worker of this.#workers) worker.ref();
      this.#runs.set(id, { thread, resolve, reject });
      this.#queued[thread] = (this.#queued[thread] ?? 0) + 1;
      this.#workers[thread]?.postMessage([id, new Float64Array(program), this.#memory.size]);
    });
  }

  #finish(id: number, failure: ReadFailure | undefined): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    this.#queued[run.thread] = (this.#queued[run.thread] ?? 1) - 1;
    if (this.#runs.size === 0) for (const worker of this.#workers) worker.unref();
    run.resolve(failure);
  }

  #end(cause: unknown): void {
    this.#ended ??= new FlareError("aggregate/threads-ended", "A thread of the aggregation engine ended.", { cause });
    for (const { reject } of this.#runs.values()) reject(this.#ended);
    this.#runs.clear();
  }
}

/**
 * Threads do without the process's flags, such as modules to be loaded first, but for the permission model: a thread with flags
 * of its own is not bound by it.
 */
function ownFlags(): { readonly execArgv?: string[] } {
  const permission: unknown = process.permission;
  return permission === undefined ? { execArgv: [] } : {};
}

const threadText = `
const { readSync } = require("node:fs");
const { parentPort, workerData } = require("node:worker_threads");
const { module: code, memory, kernelNames } = workerData;
const { exports: kernelsByName } = new WebAssembly.Instance(code, { env: { memory } });
const kernels = kernelNames.map((name) => kernelsByName[name]);
const run = ${runProgram.toString()};
const refresh = ${refreshMemory.toString()};
parentPort.on("message", ([id, program, bytes]) => {
  refresh(memory, bytes);
  parentPort.postMessage([id, run(kernels, program, memory, readSync)]);
});
`;

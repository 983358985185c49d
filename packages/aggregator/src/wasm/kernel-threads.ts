import { readSync } from "node:fs";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { FlareError } from "@flare-ts/contracts/errors";
import { callableKernels } from "./callable-kernels.js";
import type { KernelMemory } from "./kernel-memory.js";
import type { KernelModule } from "./kernel-module.js";
import { kernelNames } from "./kernel-names.js";
import { type KernelProgram, type ReadFailure, runProgram } from "./kernel-program.js";
import { ProgramBoard, serveBoard } from "./program-board.js";
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
  readonly resolve: (failure: ReadFailure | undefined) => void;
  readonly reject: (cause: unknown) => void;
}

/** One thread of its own, and what it was asked for. */
class WorkerThread implements KernelThread {
  readonly #memory: KernelMemory;
  readonly #board: ProgramBoard;
  readonly #worker: Worker;
  /** On the board, and waiting to be put on it, the oldest first. */
  readonly #running: Run[] = [];
  readonly #waiting: { readonly program: KernelProgram; readonly run: Run }[] = [];
  #scratch: ThreadScratch | undefined;
  #ended: FlareError | undefined;

  constructor({ module }: KernelModule, memory: KernelMemory) {
    this.#memory = memory;
    this.#board = new ProgramBoard(memory);
    const workerData = { module, memory: memory.memory, kernelNames, board: this.#board.shared };
    // As text, so that it is found wherever this file ends up: in a bundle, in a test, behind permissions on files.
    this.#worker = new Worker(threadText, { eval: true, workerData, stdin: false, ...ownFlags() });
    this.#worker.on("message", () => this.#finish());
    this.#worker.on("error", (cause) => this.#end(cause));
    this.#worker.on("exit", () => this.#end(undefined));
    // After the listeners: one for messages keeps the process alive again.
    this.#worker.unref();
  }

  get scratch(): ThreadScratch {
    this.#scratch ??= threadScratch(this.#memory);
    return this.#scratch;
  }

  /** Programs that it has not ended yet. */
  get queued(): number {
    return this.#running.length + this.#waiting.length;
  }

  run(program: KernelProgram): Promise<ReadFailure | undefined> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      if (this.queued === 0) this.#worker.ref();
      this.#waiting.push({ program, run: { resolve, reject } });
      this.#put();
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #put(): void {
    while (!this.#board.isFull) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      try {
        this.#board.put(next.program);
        this.#running.push(next.run);
      } catch (cause) {
        next.run.reject(cause);
      }
    }
    if (this.queued === 0) this.#worker.unref();
  }

  #finish(): void {
    for (const outcome of this.#board.takeEnded()) this.#running.shift()?.resolve(outcome);
    this.#put();
  }

  #end(cause: unknown): void {
    this.#ended ??= new FlareError("aggregate/threads-ended", "A thread of the aggregation engine ended.", { cause });
    for (const { reject } of [...this.#running, ...this.#waiting.map(({ run }) => run)]) reject(this.#ended);
    this.#running.length = 0;
    this.#waiting.length = 0;
  }
}

/** Runs programs on threads of their own, which see the same memory. Idle threads do not keep the process alive. */
class WorkerThreads implements KernelThreads {
  readonly #threads: readonly WorkerThread[];

  constructor(module: KernelModule, memory: KernelMemory, count: number) {
    this.#threads = Array.from({ length: count }, () => new WorkerThread(module, memory));
  }

  get count(): number {
    return this.#threads.length;
  }

  next(): KernelThread {
    return this.#threads.reduce((least, thread) => (thread.queued < least.queued ? thread : least));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
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
const { module: code, memory, kernelNames, board } = workerData;
const { exports: kernelsByName } = new WebAssembly.Instance(code, { env: { memory } });
const kernels = kernelNames.map((name) => kernelsByName[name]);
const run = ${runProgram.toString()};
const refresh = ${refreshMemory.toString()};
(${serveBoard.toString()})(board, { kernels, memory, readSync, run, refresh, tell: () => parentPort.postMessage(null) });
`;

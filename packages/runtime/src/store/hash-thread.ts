import type { FileHandle } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { FlareError } from "@flare-ts/contracts/errors";
import { type HashAnswer, type HashRequest, hashFiles } from "./hash-files.js";
import type { HashedPrefix, RunningHash } from "./running-hash.js";

/** The thread ends when it has had nothing to do for so long. */
const idleMs = 10_000;

/**
 * Hashes files on a thread of its own while they grow, by reading again what was written: SHA-256 takes about as long as all that the
 * thread of the network has to do for the same bytes. The thread starts with the first file; it does not keep the process alive.
 */
export class HashThread {
  #thread: Thread | undefined;
  #open = 0;
  #lastId = 0;
  #idle: NodeJS.Timeout | undefined;

  /** Begins at a file's first byte. The file stays open until the hash has ended. */
  begin(file: FileHandle): RunningHash {
    return this.#run(file, 0, { name: "begin", from: undefined, offset: 0 });
  }

  /** Ends the thread now; hashes that run fail. What comes after begins another. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.worker.terminate();
  }

  #run(file: FileHandle, offset: number, start: Omit<Extract<HashRequest, { name: "begin" }>, "id" | "fd">): RunningHash {
    clearTimeout(this.#idle);
    this.#open += 1;
    const id = (this.#lastId += 1);
    const thread = (this.#thread ??= this.#start());
    const ask = (request: HashRequest): void => thread.worker.postMessage(request, []);
    ask({ ...start, id, fd: file.fd });
    let answer: Promise<string> | undefined;
    const finish = async (name: "digest" | "end"): Promise<string> => {
      try {
        return await this.#answer(thread, { name, id });
      } finally {
        this.#closed();
      }
    };
    return {
      update: () => undefined,
      reached: (to) => ask({ name: "reached", id, to }),
      prefix: (at): HashedPrefix => {
        if (at > offset) ask({ name: "mark", id, at });
        return { offset: at, resume: (next) => this.#run(next, at, { name: "begin", from: id, offset: at }) };
      },
      digest: () => (answer ??= finish("digest")),
      end: async () => {
        // Cuts short the way to a digest that is waited for.
        if (answer === undefined) answer = finish("end");
        else ask({ name: "end", id });
        await answer.catch(() => undefined);
      },
    };
  }

  async #answer(thread: Thread, request: Extract<HashRequest, { name: "digest" | "end" }>): Promise<string> {
    if (thread !== this.#thread) throw ended(undefined);
    const { worker, answers } = thread;
    const answered = new Promise<string>((resolve, reject) => {
      answers.set(request.id, { resolve, reject });
    });
    worker.ref();
    worker.postMessage(request, []);
    return await answered;
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#thread?.answers.size === 0) this.#thread.worker.unref();
    if (this.#open > 0) return;
    this.#idle = setTimeout(() => void this.close(), idleMs);
    this.#idle.unref();
  }

  #start(): Thread {
    // As text, so that it is found wherever this file ends up. Without the process's flags, such as modules to be loaded first.
    const worker = new Worker(threadText, { eval: true, stdin: false, execArgv: [], resourceLimits });
    // Its own: when a thread has ended at last, files may long be hashed by the next one.
    const answers: Thread["answers"] = new Map();
    const thread = { worker, answers };
    worker.on("message", ({ id, digest, problem }: HashAnswer) => {
      const answer = answers.get(id);
      answers.delete(id);
      if (problem === undefined) answer?.resolve(digest);
      else answer?.reject(new FlareError("file/unreadable", `A file could not be read to be hashed: ${problem}`));
    });
    const over = (cause: unknown): void => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const { reject } of answers.values()) reject(ended(cause));
      answers.clear();
    };
    worker.on("error", over);
    worker.on("exit", () => over(undefined));
    // After the listeners: one for messages keeps the process alive again.
    worker.unref();
    return thread;
  }
}

/** A thread, and who waits for what it says of which hash. */
interface Thread {
  readonly worker: Worker;
  readonly answers: Map<number, Answer>;
}

interface Answer {
  readonly resolve: (digest: string) => void;
  readonly reject: (reason: FlareError) => void;
}

function ended(cause: unknown): FlareError {
  return new FlareError("internal/bug", "The thread that hashes files ended.", { cause });
}

/** It holds a few small objects: what V8 would take for speed is not needed. */
const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };

const threadText = `
const { createHash } = require("node:crypto");
const { readSync } = require("node:fs");
const { parentPort } = require("node:worker_threads");
(${hashFiles.toString()})(parentPort, { createHash, readSync });
`;

import type { KeyObject } from "node:crypto";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { KeyType } from "@flare-ts/contracts";
import { createKeyPair, type KeyPair } from "./key-pair.js";

export interface CreateKeyPairsOptions {
  /** Threads that make keys at once. @default as many as there are cores */
  readonly threads?: number;
}

/** Threads of Node's pool unless the process was started with another number. */
const poolThreads = 4;

/**
 * Makes many keys at once: in Node's thread pool, or in threads of its own where there are more cores than the pool has threads,
 * because the pool cannot be made larger once it runs.
 */
export async function createKeyPairs(
  type: KeyType,
  count: number,
  { threads = availableParallelism() }: CreateKeyPairsOptions = {},
): Promise<readonly KeyPair[]> {
  if (type === "p256" || Math.min(count, threads) <= poolThreads) {
    return await Promise.all(Array.from({ length: count }, async () => await createKeyPair(type)));
  }
  const counter = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const bits = type === "rsa-2048" ? 2048 : 3072;
  const made = await Promise.all(
    Array.from({ length: Math.min(count, threads) }, async () => await makeInThread({ counter, count, bits })),
  );
  return made.flat();
}

interface ThreadInit {
  /** Keys that were begun, by all threads. */
  readonly counter: SharedArrayBuffer;
  readonly count: number;
  readonly bits: number;
}

async function makeInThread(init: ThreadInit): Promise<KeyPair[]> {
  const worker = new Worker(threadText, { eval: true, workerData: init, execArgv: [] });
  const pairs: KeyPair[] = [];
  try {
    return await new Promise((resolve, reject) => {
      worker.on("message", (message: { privateKey: KeyObject; publicKey: KeyObject } | "done") => {
        if (message === "done") resolve(pairs);
        else pairs.push(message);
      });
      worker.once("error", reject);
      worker.once("exit", (code) => {
        reject(new Error(`a thread that makes keys ended with status ${code}`));
      });
    });
  } finally {
    await worker.terminate();
  }
}

/** In a text of its own, because a file of this package may have been bundled into another. */
const threadText = `
const { generateKeyPairSync } = require("node:crypto");
const { parentPort, workerData: { counter, count, bits } } = require("node:worker_threads");
const begun = new Int32Array(counter);
while (Atomics.add(begun, 0, 1) < count)
  parentPort.postMessage(generateKeyPairSync("rsa", { modulusLength: bits, publicExponent: 65537 }));
parentPort.postMessage("done");
`;

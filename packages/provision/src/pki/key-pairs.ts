import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { KeyType } from "@flare-ts/contracts";
import { createKeyPair, type KeyPair } from "./key-pair.js";

export interface BeginKeyPairsOptions {
  /** Threads that make keys at once. Node's pool has four at least. @default as many as there are cores */
  readonly threads?: number;
  /** Aborting begins no further key; those that were not made are rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Threads of Node's pool unless the process was started with another number. */
const poolThreads = 4;

/**
 * Begins to make many keys and answers one promise for each: whoever waits for them in turn can work with the first while the
 * others are made. They are made in Node's thread pool, or in threads of their own where there are more cores than the pool has
 * threads, because the pool cannot be made larger once it runs. Each thread has a key to go on with when it has made one, so that
 * none waits until the caller has time to look; what else is for the pool meanwhile waits for a key or two. A promise that nobody
 * waits for may be rejected.
 */
export function beginKeyPairs(
  type: KeyType,
  count: number,
  { threads = availableParallelism(), signal }: BeginKeyPairsOptions = {},
): Promise<KeyPair>[] {
  const places = Array.from({ length: count }, () => Promise.withResolvers<KeyPair>());
  const waiting = [...places];
  const toMake: KeysToMake = { next: () => (signal?.aborted === true ? undefined : waiting.shift()) };
  const isForPool = type === "p256" || Math.min(count, threads) <= poolThreads;
  const workers = Array.from({ length: Math.min(count, isForPool ? 2 * poolThreads : threads) }, async () => {
    await (isForPool ? fillFromPool(type, toMake) : fillFromThread(type === "rsa-2048" ? 2048 : 3072, toMake));
  });
  void Promise.all(workers).then(
    () => rejectAll(waiting, signal?.reason),
    (cause: unknown) => rejectAll(places, cause),
  );
  for (const { promise } of places) promise.catch(() => {});
  return places.map(({ promise }) => promise);
}

type Slot = PromiseWithResolvers<KeyPair>;

interface KeysToMake {
  /** The next one that nobody has begun. */
  next(): Slot | undefined;
}

async function fillFromPool(type: KeyType, keys: KeysToMake): Promise<void> {
  for (let place = keys.next(); place !== undefined; place = keys.next()) place.resolve(await createKeyPair(type));
}

/** Keys come from a thread one after the other; it is asked for the next but one when one has come. */
async function fillFromThread(bits: number, keys: KeysToMake): Promise<void> {
  const first = keys.next();
  if (first === undefined) return;
  const asked = [first];
  const worker = new Worker(threadText, { eval: true, workerData: bits, execArgv: [] });
  const askForNext = (): void => {
    const place = keys.next();
    if (place === undefined) return;
    asked.push(place);
    worker.postMessage("next", []);
  };
  try {
    askForNext();
    await new Promise<void>((resolve, reject) => {
      worker.on("message", (pair: KeyPair) => {
        asked.shift()?.resolve(pair);
        askForNext();
        if (asked.length === 0) resolve();
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

/** Those that are made already stay as they are. */
function rejectAll(places: readonly Slot[], cause: unknown): void {
  for (const { reject } of places) reject(cause);
}

/** In a text of its own, because a file of this package may have been bundled into another. */
const threadText = `
const { generateKeyPairSync } = require("node:crypto");
const { parentPort, workerData: modulusLength } = require("node:worker_threads");
const make = () => parentPort.postMessage(generateKeyPairSync("rsa", { modulusLength, publicExponent: 65537 }));
parentPort.on("message", make);
make();
`;

import { setFlagsFromString } from "node:v8";
import { garbageCollector } from "../process/garbage-collector.js";

/** Bytes that may come in before what they leave behind is collected. */
const spanBytes = 8 * 1024 * 1024;

/**
 * Collects the young garbage that incoming bytes leave behind. Node takes fresh memory for whatever it reads from a TLS connection, and V8
 * counts it towards the size at which it looks through all objects of the process: without this it does so every few megabytes, on threads
 * of its own, for more processor time than hashing the same bytes takes. Young garbage alone is found within a millisecond.
 */
export class YoungGarbage {
  readonly #collect: () => void;
  #bytes = 0;

  constructor(components: { readonly collect?: () => void } = {}) {
    this.#collect = components.collect ?? collectorOfV8();
  }

  /** So many bytes have come in. */
  note(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < spanBytes) return;
    this.#bytes = 0;
    this.#collect();
  }
}

/**
 * Lets V8 wait for so much more than what was left by the last collection of everything, in percent. On its own it takes a process of 25 MB
 * that moves many bytes for one that hardly grows, and begins the next such collection as soon as the last one has ended.
 */
const growingPercent = 200;

function collectorOfV8(): () => void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
  const collect = garbageCollector();
  return () => collect({ type: "minor" });
}

import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { garbageCollector } from "../process/garbage-collector.js";

/** Bytes that may come in before what they leave behind is collected. */
const spanBytes = 8 * 1024 * 1024;
/** So much more memory outside of the heap than after the last collection of everything asks for the next one. */
const oldBytes = 16 * 1024 * 1024;

export interface IncomingGarbageComponents {
  /** @default V8's own */
  readonly collect?: (type: "minor" | "major") => void;
  /** Bytes outside of V8's heap that its objects hold. */
  readonly outsideBytes?: () => number;
}

/**
 * Collects the garbage that incoming bytes leave behind. Node takes fresh memory for whatever it reads from a TLS connection, and V8
 * counts it towards the size at which it looks through all objects of the process: without this it does so every few megabytes, on threads
 * of its own, for more processor time than hashing the same bytes takes. Young garbage alone is found within a millisecond. What has
 * waited for its turn twice is not young any more, some hundredths of what comes in: it is found when there is much of it, while V8 would
 * let 50 MB lie.
 */
export class IncomingGarbage {
  readonly #collect: (type: "minor" | "major") => void;
  readonly #outsideBytes: () => number;
  #bytes = 0;
  #leftBytes = 0;

  constructor(components: IncomingGarbageComponents = {}) {
    this.#collect = components.collect ?? collectorOfV8();
    this.#outsideBytes = components.outsideBytes ?? (() => getHeapStatistics().external_memory);
    this.#leftBytes = this.#outsideBytes();
  }

  /** So many bytes have come in. */
  note(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < spanBytes) return;
    this.#bytes = 0;
    this.#collect("minor");
    const held = this.#outsideBytes();
    // V8 may have looked through everything by itself.
    this.#leftBytes = Math.min(this.#leftBytes, held);
    if (held - this.#leftBytes < oldBytes) return;
    this.#collect("major");
    this.#leftBytes = this.#outsideBytes();
  }
}

/**
 * Lets V8 wait for so much more than what was left by the last collection of everything, in percent. On its own it takes a process of 25 MB
 * that moves many bytes for one that hardly grows, and begins the next such collection as soon as the last one has ended.
 */
const growingPercent = 200;

function collectorOfV8(): (type: "minor" | "major") => void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
  const collect = garbageCollector();
  return (type) => collect({ type });
}

import { setTimeout as sleep } from "node:timers/promises";
import { FlareError, limits } from "@flare-ts/contracts";

/** Waits between attempts: doubling from `limits.reconnectFirstMs` to `limits.reconnectMaxMs`, each shortened at random. */
export class Backoff {
  readonly #random: () => number;
  #nextMs: number = limits.reconnectFirstMs;

  constructor(components: { readonly random?: () => number } = {}) {
    this.#random = components.random ?? Math.random;
  }

  /** Something was achieved: the next wait is the shortest again. */
  reset(): void {
    this.#nextMs = limits.reconnectFirstMs;
  }

  /** @throws FlareError `internal/aborted` */
  async wait(signal?: AbortSignal): Promise<void> {
    // Between half and all of it, so that sites which lost the server together do not return together.
    const delayMs = this.#nextMs * (0.5 + this.#random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, limits.reconnectMaxMs);
    try {
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (reason) {
      throw FlareError.from(signal?.reason ?? reason);
    }
  }
}

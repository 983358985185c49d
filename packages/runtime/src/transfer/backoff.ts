import { setTimeout as sleep } from "node:timers/promises";
import { FlareError, limits } from "@flare-ts/contracts";

/**
 * Milliseconds to wait before attempt `attempt` (0, 1, 2 …): doubles from `limits.reconnectFirstMs` to
 * `limits.reconnectMaxMs`, then spreads evenly over the upper half so that many sites do not come back at once.
 *
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(limits.reconnectMaxMs, limits.reconnectFirstMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (random * ceiling) / 2;
}

/** Waits between attempts, each time longer, by `backoffMs`. */
export class Backoff {
  readonly #random: () => number;
  #attempt = 0;

  constructor(components: { readonly random?: () => number } = {}) {
    this.#random = components.random ?? Math.random;
  }

  /** Something was achieved: the next wait is the shortest again. */
  reset(): void {
    this.#attempt = 0;
  }

  /** @throws FlareError `internal/aborted` */
  async wait(signal?: AbortSignal): Promise<void> {
    const delayMs = backoffMs(this.#attempt, this.#random());
    this.#attempt += 1;
    try {
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (reason) {
      throw FlareError.from(signal?.reason ?? reason);
    }
  }
}

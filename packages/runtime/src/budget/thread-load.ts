import { performance } from "node:perf_hooks";

/** Milliseconds that are looked back over. */
const spanMs = 250;
/** Of its time, beyond which a thread has hardly a moment to spare. */
const busyShare = 0.9;

/** How much of its time the main thread of this process spends on work, and not on waiting for some. */
export class ThreadLoad {
  #since = performance.eventLoopUtilization();
  #sinceMs = performance.now();
  #isBusy = false;

  /** Whether the thread had hardly a moment to spare in the latest span that is over. */
  isBusy(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs < spanMs) return this.#isBusy;
    const now = performance.eventLoopUtilization();
    this.#isBusy = performance.eventLoopUtilization(now, this.#since).utilization >= busyShare;
    this.#since = now;
    this.#sinceMs = nowMs;
    return this.#isBusy;
  }
}

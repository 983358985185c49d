import type { StallClock } from "./stall-clock.js";

/** A standstill. */
export interface Stall {
  /** What moved last. */
  readonly last: string;
  /** When it did; milliseconds since the epoch. */
  readonly sinceMs: number;
  /** How long it has stood still; milliseconds. */
  readonly stillMs: number;
}

export interface StallWatchInit {
  readonly stallMs: number;
  /** What the time counts from. */
  readonly first: string;
  /** Called once, when nothing has moved for `stallMs`. */
  onStall(stall: Stall): void;
}

/**
 * Watches one long thing, such as a stream or a training step: it may take as long as it likes while it moves. This is the
 * one way by which anything here is given up for want of progress.
 *
 * A process that was stopped itself, or a machine that slept, has seen nothing move because it did not look: the time counts
 * anew then.
 */
export class StallWatch {
  readonly #clock: StallClock;
  readonly #init: StallWatchInit;
  #last: string;
  #movedAtMs: number;
  #cancel: () => void = () => {};
  #isOver = false;

  constructor(components: { readonly clock: StallClock }, init: StallWatchInit) {
    this.#clock = components.clock;
    this.#init = init;
    this.#last = init.first;
    this.#movedAtMs = components.clock.now();
    this.#lookAfter(init.stallMs);
  }

  /** It has moved. */
  mark(what: string): void {
    this.#last = what;
    this.#movedAtMs = this.#clock.now();
  }

  /** Until `resume`, whatever does not move is not the fault of what is watched. */
  pause(): void {
    this.#cancel();
  }

  /** It is to move again, from now on. */
  resume(what: string): void {
    this.#cancel();
    this.mark(what);
    if (!this.#isOver) this.#lookAfter(this.#init.stallMs);
  }

  /** It is done, or given up for another reason. */
  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  #lookAfter(delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs;
    this.#cancel = this.#clock.setTimer(delayMs, () => {
      if (!this.#isOver) this.#look(dueMs);
    });
  }

  #look(dueMs: number): void {
    const { stallMs, onStall } = this.#init;
    const nowMs = this.#clock.now();
    // Judged late by so much, the process was not running meanwhile.
    if (nowMs - dueMs > Math.max(1_000, stallMs / 10)) this.#movedAtMs = nowMs;
    const stillMs = nowMs - this.#movedAtMs;
    if (stillMs < stallMs) {
      this.#lookAfter(stallMs - stillMs);
      return;
    }
    this.stop();
    onStall({ last: this.#last, sinceMs: this.#clock.date() - stillMs, stillMs });
  }
}

import { limits } from "@flare-ts/contracts/errors";
import type { TaskSpan } from "../job/job-event.js";

interface BegunSpan {
  readonly phase: string;
  readonly reason: string;
  readonly fromMs: number;
}

/** What a site does with one task, one phase after the other, from the moment at which the task is there. */
export class TaskSpans {
  readonly #spans: BegunSpan[] = [];

  /** The task is in a phase from now on. Beyond `limits.taskSpans` changes, time counts for the phase that came last. */
  enter(phase: string, waitsFor: string, nowMs: number): void {
    const last = this.#spans.at(-1);
    if ((last?.phase === phase && last.reason === waitsFor) || this.#spans.length === limits.taskSpans) return;
    this.#spans.push({ phase, reason: waitsFor, fromMs: nowMs });
  }

  /** How long each has lasted until now, in whole milliseconds; those that were over at once are left out. */
  until(nowMs: number): readonly TaskSpan[] {
    const beginMs = this.#spans[0]?.fromMs ?? nowMs;
    // Moments are rounded, not durations: these then add up to the whole.
    const since = (atMs: number): number => Math.round(atMs - beginMs);
    return this.#spans.flatMap(({ phase, reason, fromMs }, at) => {
      const ms = since(this.#spans[at + 1]?.fromMs ?? nowMs) - since(fromMs);
      return ms > 0 ? [{ phase, ...(reason === "" ? {} : { reason }), ms }] : [];
    });
  }
}

import type { Clock } from "../workflow/clock.js";
import { systemClock } from "../workflow/clock.js";

/** Time for watching progress: `now` goes steadily, whatever becomes of the date. */
export interface StallClock extends Clock {
  /** Milliseconds since the epoch, for people. */
  date(): number;
}

/** The machine's. */
export const systemStallClock: StallClock = Object.freeze({
  now: () => performance.now(),
  date: () => Date.now(),
  setTimer: systemClock.setTimer,
});

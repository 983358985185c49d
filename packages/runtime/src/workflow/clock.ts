/** The time and its timers; tests turn one by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls back once, after at least so many milliseconds.
   *
   * @returns what stops the timer.
   */
  setTimer(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = Object.freeze({ now: () => Date.now(), setTimer });

/** The longest delay that `setTimeout` keeps; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

function setTimer(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (restMs: number): void => {
    timer = setTimeout(() => (restMs > longestDelayMs ? wait(restMs - longestDelayMs) : callback()), Math.min(restMs, longestDelayMs));
  };
  wait(Math.max(0, delayMs));
  return () => clearTimeout(timer);
}

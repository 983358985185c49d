/** Exit statuses of a command that a signal ended; the shell's convention of 128 + the signal's number. */
const signalExit = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that asks to stop. */
export type StopSignal = keyof typeof signalExit;

/** How a process listens to the wish that it stops: the first signal drains, the second one exits at once. */
export interface StopSignals {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** Exit status of the signal that came, if one came. */
  exitCode(): number | undefined;
  /** From now on SIGINT is for what this process has started, and does nothing here. */
  ignoreInterrupts(): void;
  /** Stops listening. */
  release(): void;
}

/** Listens to SIGINT and SIGTERM of this process; `onFirst` hears of the first. */
export function listenToStopSignals(onFirst: (name: StopSignal) => void): StopSignals {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  let areInterruptsIgnored = false;
  const onSignal = (name: NodeJS.Signals): void => {
    if (name === "SIGINT" && areInterruptsIgnored) return;
    const known: StopSignal = name === "SIGINT" ? "SIGINT" : "SIGTERM";
    if (first !== undefined) process.exit(signalExit[known]);
    first = known;
    onFirst(known);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (first === undefined ? undefined : signalExit[first]),
    ignoreInterrupts: () => {
      areInterruptsIgnored = true;
    },
    release: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}

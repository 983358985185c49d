import type { LogFields, Logger, LogLevel, LogLine } from "./logger.js";

/** A logger that writes no file: each line goes to `onLine`, if anybody listens. */
export function lineLogger(onLine: ((line: LogLine) => void) | undefined, bound: LogFields = {}): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      onLine?.({ level, message, fields: { ...bound, ...fields } });
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    child: (fields) => lineLogger(onLine, { ...bound, ...fields }),
  };
}

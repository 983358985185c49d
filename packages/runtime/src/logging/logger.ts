import { join } from "node:path";
import { FlareError, type Json, limits } from "@flare-ts/contracts/errors";
import { LineFile } from "./line-file.js";

/** Levels, by what they mean to the operator: someone must act; it will become one; a rare milestone; per message. */
export const logLevels = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields of a log line; an error is written with its code and facts. */
export type LogFields = Readonly<Record<string, Json | undefined>> & { readonly error?: Json | undefined };

/** Writes lines with a constant message and data as fields. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Logs to `log.json` in a folder (JSON lines, FLARE's file name), and hands each line to `onLine`; its level can be changed. */
export function createLogger(init: {
  readonly folder: string;
  readonly level: LogLevel;
  readonly onLine?: ((line: LogLine) => void) | undefined;
}): { readonly logger: Logger; setLevel(level: LogLevel): void; close(): void } {
  const file = LineFile.open(join(init.folder, "log.json"));
  let rank = logLevels.indexOf(init.level);
  const make = (bound: LogFields): Logger => {
    const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(level) > rank) return;
      const all = { ...bound, ...fields };
      file.append(JSON.stringify({ level, time: new Date().toISOString(), ...all, message }));
      init.onLine?.({ level, message, fields: all });
    };
    return {
      error: (message, fields) => write("error", message, fields),
      warn: (message, fields) => write("warn", message, fields),
      info: (message, fields) => write("info", message, fields),
      debug: (message, fields) => write("debug", message, fields),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return {
    logger: make({}),
    setLevel: (level) => {
      rank = logLevels.indexOf(level);
    },
    close: () => file.close(),
  };
}

/** An error as a field of a log line. */
export function errorField(reason: unknown): Json {
  const { code, message, facts } = FlareError.from(reason);
  return { code, message: capPeerText(message), facts };
}

/** Text that came from a peer, cut to what a log line may hold. */
export function capPeerText(text: string): string {
  return text.length <= limits.peerTextChars ? text : `${text.slice(0, limits.peerTextChars)}…`;
}

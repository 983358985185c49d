import type { LogLevel } from "./logger.js";

/** Changes how much a process writes to its log, until it ends. */
export interface LogLevelSwitch {
  /** Returns the level that is in force now. */
  set(level: LogLevel): LogLevel;
  /** Back to what local/log_config.json says, as it is now. */
  reload(): Promise<LogLevel>;
}

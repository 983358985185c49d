import type { Colors } from "../../terminal/terminal.js";

/** Something that a running process tells its operator. */
export interface LogEvent {
  readonly level: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A log line for a terminal: time, level, constant message, `key=value` for each field that has a value. */
export function logLine(event: LogEvent, now: Date, colors: Colors): string {
  const paint = event.level === "error" ? colors.red : event.level === "warn" ? colors.yellow : colors.dim;
  const known = Object.entries(event.fields ?? {}).filter(([, value]) => value !== undefined);
  const fields = known.map(([key, value]) => ` ${colors.dim(`${key}=`)}${valueText(value)}`);
  return `${now.toISOString().slice(11, 23)} ${paint(event.level.padEnd(5))} ${event.message}${fields.join("")}`;
}

function valueText(value: unknown): string {
  if (typeof value === "string") return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? "undefined";
}

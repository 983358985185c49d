import { FlareError, type Json, type Problem } from "@flare-ts/contracts";

/** What is looked at, in this order; a kind of kit has not all of them. */
export type PreflightCheckName =
  | "kit"
  | "certificate"
  | "settings"
  | "disk"
  | "listen"
  | "reach"
  | "proxy"
  | "name"
  | "port"
  | "tls"
  | "http2"
  | "clock"
  | "server"
  | "bandwidth";

/** `skipped` where an earlier problem, or the kind of the kit, leaves nothing to look at. */
export type PreflightOutcome = "ok" | "warning" | "problem" | "skipped";

/** What one look at a kit and its surroundings found. */
export interface PreflightCheck {
  readonly name: PreflightCheckName;
  readonly outcome: PreflightOutcome;
  /** One sentence for people. */
  readonly found: string;
  /** How to fix it, for a warning or a problem. */
  readonly todo?: string;
  /** Code of the error catalogue that a start of the kit would end with, where there is one. */
  readonly code?: string;
  readonly facts: Readonly<Record<string, Json>>;
}

export function passed(name: PreflightCheckName, found: string, facts: PreflightCheck["facts"] = {}): PreflightCheck {
  return { name, outcome: "ok", found, facts };
}

export function skipped(name: PreflightCheckName, found: string): PreflightCheck {
  return { name, outcome: "skipped", found, facts: {} };
}

export function warned(name: PreflightCheckName, found: string, todo: string, facts: PreflightCheck["facts"] = {}): PreflightCheck {
  return { name, outcome: "warning", found, todo, facts };
}

export function failed(name: PreflightCheckName, found: string, todo: string, facts: PreflightCheck["facts"] = {}): PreflightCheck {
  return { name, outcome: "problem", found, todo, facts };
}

/** A problem out of an error of the catalogue, which knows what to do. */
export function problemOf(name: PreflightCheckName, reason: unknown): PreflightCheck {
  const { code, message, row, facts, problems } = FlareError.from(reason);
  const found = [message, ...problems.map(inOneSentence)].join(" ");
  return { name, outcome: "problem", found, todo: row.todo, code, facts };
}

/** A mistake in a file that somebody wrote, with its place; the file is named by what stands before. */
function inOneSentence({ message, line, path }: Problem): string {
  if (line === undefined) return message;
  const text = `Line ${line}: ${message}${path === undefined ? "" : ` (at ${path})`}`;
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

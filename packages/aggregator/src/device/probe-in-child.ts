import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Json } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { quoted } from "../peer-text.js";

export interface ProbeInChildInit {
  /**
   * Text of an ES module. It sees `argument`, and calls `answer` with plain JSON once, upon which its process exits. Modules
   * are imported by absolute URLs, which the argument may hold.
   */
  readonly program: string;
  /** @default null */
  readonly argument?: Json;
  /** Time for everything, from start to exit. @default 30 000 */
  readonly timeoutMs?: number;
  /** Aborting ends the process. */
  readonly signal?: AbortSignal;
}

/** What came of a probe. */
export type ProbeOutcome =
  | {
      readonly kind: "answered";
      readonly answer: Json;
      /** The last lines that the program wrote to its standard error, quoted; empty for none. */
      readonly wrote: string;
      /** All that it wrote there, or the end of it; native libraries log there what they tell nowhere else. */
      readonly log: string;
    }
  | {
      readonly kind: "failed";
      /** A sentence, which quotes the last lines. */
      readonly reason: string;
      /** Whether its time was over. */
      readonly isTimeout: boolean;
    };

/** Runs a program somewhere else. */
export type Probe = (init: ProbeInChildInit) => Promise<ProbeOutcome>;

const defaultTimeoutMs = 30_000;
const keptChars = 4096;
const keptLines = 3;

/**
 * Runs a program in a Node process of its own, and tells what it answered. A process that crashes, hangs, or ends otherwise
 * than with status 0, even after its answer, is a probe that failed: what it loaded would do the same to this process. It
 * inherits the environment.
 *
 * @throws `internal/aborted`
 */
export async function probeInChild(init: ProbeInChildInit): Promise<ProbeOutcome> {
  const { program, argument = null, timeoutMs = defaultTimeoutMs, signal } = init;
  throwIfAborted(signal);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, ["--input-type=module", "--eval", `${preamble(argument)}\n${program}`], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      windowsHide: true,
    });
  } catch (cause) {
    // Thrown, not emitted, where Node's permission model denies processes.
    return failed(`no process could be started: ${messageOf(cause)}`, "");
  }
  const kill = (): void => void child.kill("SIGKILL");
  const timer = setTimeout(kill, timeoutMs);
  signal?.addEventListener("abort", kill, { once: true });
  try {
    return await outcomeOf(child, `${timeoutMs} ms`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
    throwIfAborted(signal);
  }
}

function preamble(argument: Json): string {
  return `const argument = ${JSON.stringify(argument)}; const answer = (value) => process.send({ value }, () => process.exit());`;
}

function outcomeOf(child: ChildProcess, time: string): Promise<ProbeOutcome> {
  let answer: { readonly value: Json } | undefined;
  let errors = "";
  child.on("message", (message) => {
    answer = message as { readonly value: Json };
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-keptChars);
  });
  return new Promise((resolve) => {
    child.on("error", (cause) => resolve(failed(`no process could be started: ${cause.message}`, errors)));
    child.on("close", (code, signal) => {
      if (code === 0 && answer !== undefined) resolve({ kind: "answered", answer: answer.value, wrote: lastLines(errors), log: errors });
      else if (child.killed) resolve(failed(`its process did not end within ${time}`, errors, true));
      else if (signal !== null) resolve(failed(`its process was ended by ${signal}`, errors));
      else resolve(failed(code === 0 ? "its process ended without an answer" : `its process ended with status ${code}`, errors));
    });
  });
}

function failed(what: string, errors: string, isTimeout = false): ProbeOutcome {
  const wrote = lastLines(errors);
  return { kind: "failed", isTimeout, reason: `The probe failed: ${what}${wrote === "" ? "" : `; it wrote ${wrote}`}.` };
}

function lastLines(errors: string): string {
  // Node's own stack and version follow a message that is wanted.
  const lines = errors.split("\n").filter((line) => line.trim() !== "" && !/^\s+at |^Node\.js v/.test(line));
  return lines.length === 0 ? "" : quoted(lines.slice(-keptLines).join("\n"));
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

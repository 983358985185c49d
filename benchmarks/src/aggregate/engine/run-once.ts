import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import type { OnceAnswer, OnceRequest } from "./aggregate-once.ts";

export interface RunOnceInit {
  readonly signal: AbortSignal;
  /** Told of the process before it is given anything to do; it waits for this. */
  readonly onStart?: (pid: number) => Promise<void>;
}

/** How a process of its own ended: with an answer, or without, as when it was killed. */
export interface OnceOutcome {
  readonly answer: OnceAnswer | undefined;
  readonly exitCode: number | null;
  readonly killedBy: string | null;
  readonly stderr: string;
}

/** Aggregates once in a process of its own, which ends with the signal. @throws AbortError */
export async function runOnce(request: OnceRequest, { signal, onStart }: RunOnceInit): Promise<OnceOutcome> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "aggregate-once.ts")], {
    stdio: ["pipe", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  const ended = once(child, "close");
  ended.catch(() => {});
  child.stdin.on("error", () => {});
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    if (child.pid !== undefined) await onStart?.(child.pid);
  } catch (cause) {
    child.kill("SIGKILL");
    throw cause;
  }
  child.stdin.end(JSON.stringify(request));
  const [exitCode, killedBy] = (await ended) as [number | null, string | null];
  const [stdout, stderr] = await output;
  return { answer: exitCode === 0 ? (JSON.parse(stdout) as OnceAnswer) : undefined, exitCode, killedBy, stderr };
}

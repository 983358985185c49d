import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** How a line is asked for. */
export interface AskLineOptions {
  /** Ends the question. */
  readonly signal: AbortSignal;
  /** Whether what is typed is not shown. @default false */
  readonly isSecret?: boolean;
}

/**
 * Asks whoever is at the terminal for a line, on the error stream; `undefined` when there will be none, as after Ctrl-D. Ctrl-C is the
 * signal that it is everywhere else.
 *
 * @throws AbortError
 */
export async function askLine(question: string, { signal, isSecret = false }: AskLineOptions): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: isSecret ? nowhere : process.stderr,
    ...(isSecret ? { terminal: true } : {}),
  });
  if (isSecret) process.stderr.write(question);
  // While lines are edited the terminal makes no signal of Ctrl-C.
  lines.on("SIGINT", () => {
    process.stderr.write("\n");
    process.kill(process.pid, "SIGINT");
  });
  const over = new Promise<undefined>((resolve) => {
    lines.once("close", () => resolve(undefined));
  });
  const answer = lines.question(isSecret ? "" : question, { signal }).catch((reason: unknown) => {
    // A closed input is told as an abort too.
    if (signal.aborted) throw reason;
    return undefined;
  });
  try {
    const line = await Promise.race([answer, over]);
    if (isSecret || line === undefined) process.stderr.write("\n");
    return line;
  } finally {
    lines.close();
  }
}

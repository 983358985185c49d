import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** An error as a process that ended with it has told it. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
}

/** More than the command prints of one error. */
const tailBytes = 16_384;

/**
 * The error with which a kit's background process ended, where its log ends with one; a process that stopped in good order, or that
 * runs again, has printed something after it.
 */
export function lastError(kitDir: string): ToldError | undefined {
  const lines = tailOf(join(kitDir, "log.txt")).split("\n");
  const at = lines.findLastIndex((line) => errorLine.test(line));
  const [, code, message] = errorLine.exec(lines[at] ?? "") ?? [];
  // Whoever stops a process on its way up has no need to be told.
  if (code === undefined || message === undefined || code === "internal/aborted") return undefined;
  // What the command prints with an error, and nothing else.
  return lines.slice(at + 1).every((line) => /^( {2}|What to do: |Read more: |$)/.test(line)) ? { code, message } : undefined;
}

const errorLine = /^error ([a-z0-9-]+\/[a-z0-9-]+): (.*)$/;

function tailOf(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    return tail.subarray(0, readSync(file, tail, 0, tail.byteLength, size - tail.byteLength)).toString();
  } catch {
    return "";
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

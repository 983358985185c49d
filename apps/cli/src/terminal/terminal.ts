import picocolors from "picocolors";
import { clipLine } from "./clip-line.js";

/** Colours, or the same functions doing nothing. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** Where a command writes; the only place of the command line that touches the streams. */
export interface Terminal {
  /** Whether lines can be drawn over: the error stream is a terminal that moves its cursor. */
  readonly isInteractive: boolean;
  /** Characters in a line. */
  readonly columns: number;
  readonly colors: Colors;
  /** Writes a line of the result. */
  out(line: string): void;
  /** Writes a line about the result: errors, log lines, hints. */
  err(line: string): void;
  /** Draws lines below everything else, over those drawn before; nothing on what is not a terminal. */
  draw(lines: readonly string[]): void;
}

/** A terminal over the streams of a process; colours follow NO_COLOR and FORCE_COLOR. */
export function createTerminal(streams: {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Terminal {
  const { stdout, stderr, env } = streams;
  const isInteractive = stderr.isTTY && env["TERM"] !== "dumb" && env["CI"] === undefined;
  const hasColors =
    (env["NO_COLOR"] === undefined || env["NO_COLOR"] === "") &&
    (stderr.isTTY || (env["FORCE_COLOR"] ?? "") !== "") &&
    env["TERM"] !== "dumb";
  let drawn = 0;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`);
  let lines: readonly string[] = [];
  const redraw = (): void => {
    if (!isInteractive) return;
    stderr.write(lines.map((line) => `${clipLine(line, stderr.columns || 80)}\n`).join(""));
    drawn = lines.length;
  };
  const write = (stream: NodeJS.WriteStream, line: string): void => {
    if (drawn > 0) {
      stderr.write(erase());
      drawn = 0;
    }
    stream.write(`${line}\n`);
    if (lines.length > 0) redraw();
  };
  return {
    isInteractive,
    columns: stderr.columns || 80,
    colors: picocolors.createColors(hasColors),
    out: (line) => write(stdout, line),
    err: (line) => write(stderr, line),
    draw: (next) => {
      if (!isInteractive) return;
      stderr.write(erase());
      drawn = 0;
      lines = next;
      redraw();
    },
  };
}

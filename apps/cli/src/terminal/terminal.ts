import picocolors from "picocolors";
import { clipLine } from "./clip-line.js";
import { styledText, withoutStyle } from "./plain-text.js";

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

/**
 * A terminal over the streams of a process. Colours follow NO_COLOR and FORCE_COLOR, and go to a stream that is a terminal and to no
 * other, as to a file. Characters that would steer a terminal are written out, wherever they come from.
 */
export function createTerminal(streams: {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Terminal {
  const { stdout, stderr, env } = streams;
  const isInteractive = stderr.isTTY && env["TERM"] !== "dumb" && env["CI"] === undefined;
  const isColorAllowed = (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  const isColorForced = !["", "0"].includes(env["FORCE_COLOR"] ?? "");
  const takesColors = (stream: NodeJS.WriteStream): boolean => isColorAllowed && (stream.isTTY || isColorForced);
  let drawn = 0;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`);
  let lines: readonly string[] = [];
  const redraw = (): void => {
    if (!isInteractive) return;
    stderr.write(lines.map((line) => `${clipLine(styledText(line), stderr.columns || 80)}\n`).join(""));
    drawn = lines.length;
  };
  const write = (stream: NodeJS.WriteStream, line: string): void => {
    if (drawn > 0) {
      stderr.write(erase());
      drawn = 0;
    }
    const text = styledText(line);
    stream.write(`${takesColors(stream) ? text : withoutStyle(text)}\n`);
    if (lines.length > 0) redraw();
  };
  return {
    isInteractive,
    get columns() {
      return stderr.columns || 80;
    },
    colors: picocolors.createColors(takesColors(stdout) || takesColors(stderr)),
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

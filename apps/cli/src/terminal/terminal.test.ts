import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createTerminal } from "./terminal.js";

function terminalOf(ttys: { readonly out: boolean; readonly err: boolean }, env: Readonly<Record<string, string>> = {}) {
  const stream = (isTTY: boolean): NodeJS.WriteStream & PassThrough => Object.assign(new PassThrough(), { isTTY, columns: 80 }) as never;
  const [stdout, stderr] = [stream(ttys.out), stream(ttys.err)];
  const terminal = createTerminal({ stdout, stderr, env: { TERM: "xterm", ...env } });
  const printed = (of: PassThrough): string => (of.read() as Buffer | null)?.toString() ?? "";
  return { terminal, out: () => printed(stdout), err: () => printed(stderr) };
}

describe("a terminal", () => {
  it("gives colours to the stream that is one, and none to the other, such as a pipe to grep", () => {
    const { terminal, out, err } = terminalOf({ out: false, err: true });
    const line = terminal.colors.bold("round 0");
    terminal.out(line);
    terminal.err(line);
    expect([out(), err()]).toEqual(["round 0\n", "\u001b[1mround 0\u001b[22m\n"]);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["NO_COLOR", { NO_COLOR: "1" }, "red\n"],
    ["a terminal that knows no colours", { TERM: "dumb" }, "red\n"],
    ["nothing", {}, "\u001b[31mred\u001b[39m\n"],
  ])("follows %s", (_what, env, printed) => {
    const { terminal, out } = terminalOf({ out: true, err: true }, env);
    terminal.out(terminal.colors.red("red"));
    expect(out()).toBe(printed);
  });

  it.each([
    ["1", "\u001b[31mred\u001b[39m\n"],
    ["0", "red\n"],
  ])("follows FORCE_COLOR=%s where it is none", (FORCE_COLOR, printed) => {
    const { terminal, out } = terminalOf({ out: false, err: false }, { FORCE_COLOR });
    terminal.out(terminal.colors.red("red"));
    expect(out()).toBe(printed);
  });

  it("writes out what would steer it, and keeps the lines and tabs of a text", () => {
    const { terminal, out } = terminalOf({ out: true, err: true });
    terminal.out("a\u001b]0;owned\u0007\u001b[2J\u009b31m\r\u202e\n\tb");
    expect(out()).toBe("a\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{9b}31m\\u{d}\\u{202e}\n\tb\n");
  });
});

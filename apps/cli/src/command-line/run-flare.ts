import type { Command } from "commander";
import { createTerminal } from "../terminal/terminal.js";
import type { BindHandler } from "./bind-handler.js";
import { buildProgram } from "./build-program.js";
import { type CommandContext, type CommandOutput, type OutputFormat, outputFormats } from "./command-context.js";
import { okEnvelope } from "./envelope.js";
import { jsonText } from "./json-text.js";
import { listenToStopSignals } from "./stop-signals.js";

/**
 * Runs one command line of `flare` in this process and resolves with its exit status. Never rejects: what goes wrong is
 * printed in the form that `--format` asks for.
 */
export async function runFlare(argv: readonly string[]): Promise<number> {
  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env });
  let needsReader = true;
  let failing: Promise<never> | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!needsReader) return;
    // A reader that has enough (`| head`) is no error.
    if (error.code === "EPIPE") process.exit(0);
    failing ??= endWithoutOutput(context, error);
  });
  process.stderr.on("error", () => {
    // There is nowhere left to say so.
  });
  const format = formatIn(argv);
  const isVerbose = argv.includes("--verbose");
  const stop = listenToStopSignals((name) => {
    terminal.err(`${name === "SIGINT" ? "Ctrl-C" : name}: stopping in good order; once more stops at once.`);
  });
  let connectTimeoutMs: number | undefined;
  const context: CommandContext = {
    terminal,
    format,
    isVerbose,
    // Known when the command line is parsed.
    get connectTimeoutMs() {
      return connectTimeoutMs;
    },
    signal: stop.signal,
    env: process.env,
    // Asked for when it is needed: the folder may be gone.
    get cwd() {
      return process.cwd();
    },
    report: (event, text) => {
      if (format === "txt") terminal.out(text);
      if (format === "jsonl") terminal.out(jsonText(event));
    },
    outliveReader: () => {
      needsReader = false;
    },
    outliveInterrupts: () => stop.ignoreInterrupts(),
  };

  let exitCode = 0;
  let output: CommandOutput | undefined;
  const bind: BindHandler =
    (load, options) =>
    async (...args) => {
      // Commander hands over the arguments, then the options, then the command.
      const words = args
        .slice(0, -2)
        .flat()
        .filter((word) => word !== undefined)
        .map(String);
      const { connectTimeout: seconds } = (args.at(-1) as Command).optsWithGlobals<{ readonly connectTimeout?: number }>();
      connectTimeoutMs = seconds === undefined ? undefined : seconds * 1000;
      output = await (await load())(context, options(words, args.at(-2) as Readonly<Record<string, unknown>>));
    };
  try {
    const program = await buildProgram(argv, bind, {
      out: (text) => terminal.out(text.trimEnd()),
      // Help in place of a command that is not named would stand before the envelope.
      outHelp: (text) => format === "txt" && terminal.out(text.trimEnd()),
      columns: terminal.columns,
    });
    await program.parseAsync(expandLongShortFlags(argv), { from: "user" });
    terminal.draw([]);
    if (output !== undefined) printOutput(context, output);
    exitCode = output?.exitStatus ?? 0;
  } catch (reason) {
    terminal.draw([]);
    // Loaded when needed: the schemas that come with the error catalogue cost more than everything else at a start.
    exitCode = (await import("./print-failure.js")).printFailure(context, reason, stop.exitCode());
  } finally {
    stop.release();
  }
  await outputTaken();
  await failing;
  return exitCode;
}

async function endWithoutOutput(context: CommandContext, cause: NodeJS.ErrnoException): Promise<never> {
  process.exit((await import("./print-failure.js")).printOutputFailure(context, cause));
}

/** Waits until a pipe or a file has taken what was printed, or refused it: of that the listener for errors hears first. */
function outputTaken(): Promise<void> {
  return new Promise((resolve) => {
    const taken = (): unknown => setImmediate(resolve);
    // A full device refuses even nothing, so that nothing is written where nothing waits.
    if (process.stdout.writableLength === 0) taken();
    else process.stdout.write("", taken);
  });
}

function printOutput(context: CommandContext, output: CommandOutput): void {
  const lines = context.format === "txt" ? output.text : [jsonText(okEnvelope(output.data))];
  for (const line of lines) context.terminal.out(line);
  for (const hint of context.format === "txt" ? (output.hints ?? []) : []) context.terminal.err(context.terminal.colors.dim(hint));
}

/** The form asked for, found before the command line is parsed, because its mistakes are printed in that form too. */
function formatIn(argv: readonly string[]): OutputFormat {
  // The last one counts, as for the parser.
  const at = argv.findLastIndex((word) => word === "--format" || word.startsWith("--format="));
  const text = argv[at] === "--format" ? argv[at + 1] : argv[at]?.slice("--format=".length);
  return outputFormats.find((format) => format === text) ?? "txt";
}

/** FLARE has short flags of several letters, which the parser does not know. */
function expandLongShortFlags(argv: readonly string[]): string[] {
  return argv.map((word) => longShortFlags.get(word) ?? word);
}

const longShortFlags: ReadonlyMap<string, string> = new Map([
  ["-ex", "--exclude"],
  ["-gpu", "--gpu"],
]);

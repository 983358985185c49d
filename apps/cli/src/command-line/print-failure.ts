import { type ErrorCode, FlareError } from "@flare-ts/contracts";
import { CommanderError } from "commander";
import type { CommandContext } from "./command-context.js";
import { diskRefusal, systemWords } from "./disk-refusal.js";
import { errorEnvelope } from "./envelope.js";
import { errorText } from "./error-text.js";
import { jsonText } from "./json-text.js";

/** What a command fails with that was told to stop. */
const stoppedCodes: readonly ErrorCode[] = ["internal/aborted", "simulator/stopped"];

/** Prints why a command line failed, in the form that was asked for, and returns the exit status. */
export function printFailure(context: CommandContext, reason: unknown, signalExitCode: number | undefined): number {
  if (reason instanceof CommanderError && (reason.code === "commander.helpDisplayed" || reason.code === "commander.version")) return 0;
  const error = reason instanceof CommanderError ? fromCommander(reason) : (diskRefusal(reason) ?? FlareError.from(reason));
  const exitCode = stoppedCodes.includes(error.code) && signalExitCode !== undefined ? signalExitCode : error.row.exit;
  const text = errorText(error, { colors: context.terminal.colors, isVerbose: context.isVerbose });
  if (context.format !== "txt") context.terminal.out(jsonText(errorEnvelope(error, exitCode)));
  if (context.format === "txt" || context.isVerbose) for (const line of text) context.terminal.err(line);
  return exitCode;
}

/** Says that the output has nowhere to go, such as to a file on a full disk, on the error stream whatever form was asked for. */
export function printOutputFailure({ terminal, isVerbose }: CommandContext, cause: NodeJS.ErrnoException): number {
  const error = new FlareError("file/unwritable", `Cannot write the output: ${systemWords(cause)}.`, { cause });
  for (const line of errorText(error, { colors: terminal.colors, isVerbose })) terminal.err(line);
  return error.row.exit;
}

/** One sentence, as every other error has it, out of what the parser says. */
function fromCommander(error: CommanderError): FlareError {
  const message = error.code === "commander.help" ? "the command line ends before it names a command" : error.message;
  const [first = "", ...more] = message.replace(/^error: /, "").split("\n");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}${/[.?!]$/.test(first) ? "" : "."}`;
  return new FlareError("cli/invalid-arguments", [sentence, ...more.map((line) => line.replace(/^\((.*)\)$/, "$1"))].join(" "));
}

import type { FlareError, Problem } from "@flare-ts/contracts";
import { plainText } from "../terminal/plain-text.js";
import type { Colors } from "../terminal/terminal.js";

/** Lines that tell a person what happened, where, what to do and where to read on; a stack trace only when asked for. */
export function errorText(error: FlareError, init: { readonly colors: Colors; readonly isVerbose: boolean }): string[] {
  const { colors, isVerbose } = init;
  return [
    ...plainLines(error.message).map((line, i) => (i === 0 ? `${colors.red(`error ${error.code}:`)} ${line}` : line)),
    ...error.problems
      .filter((problem) => !isTold(problem, error.message))
      .flatMap((problem) => problemLines(problem).map((line) => `  ${line}`)),
    `What to do: ${error.row.todo}`,
    `Read more: docs/errors.md#${anchorOf(error.code)}`,
    ...(isVerbose ? verboseText(error) : []),
  ];
}

/** Where a mistake has no place in a file, the message may say all of it already. */
function isTold({ file, message }: Problem, told: string): boolean {
  return file === undefined && told.includes(message);
}

/** The anchor of a code's heading in `docs/errors.md`, by GitHub's rule. */
function anchorOf(code: string): string {
  return code.replaceAll("/", "");
}

/** What another program has printed may have several lines. */
function plainLines(text: string): string[] {
  return text.split("\n").map(plainText);
}

function problemLines(problem: Problem): string[] {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  const path = problem.path === undefined ? "" : ` (at ${problem.path})`;
  return plainLines(`${place === "" ? "" : `${place}: `}${problem.message}${path}`);
}

function verboseText(error: FlareError): string[] {
  const facts = Object.entries(error.facts).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  const stacks: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) stacks.push(...plainLines(cause.stack ?? cause.message));
  return [...(facts.length > 0 ? ["Facts:", ...facts] : []), ...stacks];
}

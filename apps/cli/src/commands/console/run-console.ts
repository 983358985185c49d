import { spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { FlareError } from "@flare-ts/contracts";
import { readKit } from "@flare-ts/provision/kit";
import { findAdminKit } from "../../admin-kit/find-admin-kit.js";
import type { StudyOptions } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { flareCommandPath } from "../../command-line/flare-command-path.js";
import { given } from "../../command-line/given.js";
import { tableLines } from "../../terminal/table.js";
import { type ConsoleLine, LineMistake, splitLine } from "./console-line.js";
import { argvOf, consoleVerbs, consoleWords, type FlareWord, firstWords } from "./console-verbs.js";

/** Which admin gives the commands, and in which study. */
interface ConsoleAdmin {
  readonly name: string;
  readonly kitDir: string;
  readonly study: string | undefined;
  readonly server: string;
  readonly groups: readonly FlareWord[];
}

/** What `flare console` is given. */
export interface ConsoleOptions extends StudyOptions {
  /** The words after `flare` that a line may begin with. */
  readonly groups: readonly FlareWord[];
}

/** Earlier lines that the arrow keys give back. */
const remembered = 200;

/**
 * Carries out commands of an admin, line by line: each by a `flare` of its own, so that what one of them suffers ends none of the others.
 *
 * @throws FlareError `cli/console-line` where nobody sits at a terminal and a line fails
 */
export async function runConsole(context: CommandContext, options: ConsoleOptions): Promise<CommandOutput> {
  if (context.format !== "txt") {
    throw new FlareError("cli/invalid-arguments", "A console has no --format; the commands in it have: job list --format json.");
  }
  const kitDir = await findAdminKit(context, options.startupKit);
  const { name, endpoint } = await readKit(kitDir);
  const study = options.study ?? given(context.env["FLARE_STUDY"]);
  const admin: ConsoleAdmin = { name, kitDir, study, server: `${endpoint.host}:${endpoint.port}`, groups: options.groups };
  context.outliveInterrupts();
  await (process.stdin.isTTY ? converse(context, admin) : readLines(context, admin));
  return { data: null, text: [] };
}

/** Asks for one line after the other until somebody says bye. */
async function converse(context: CommandContext, admin: ConsoleAdmin): Promise<void> {
  const { terminal } = context;
  const where = admin.study === undefined ? "" : `, study ${admin.study}`;
  terminal.err(`${admin.name} at ${admin.server}${where}. 'help' lists the commands, 'bye' ends.`);
  const history: string[] = [];
  while (!context.signal.aborted) {
    const line = await ask(context, history, admin.groups);
    if (line === undefined) return;
    if (line.trim() === "") continue;
    if (history[0] !== line) history.unshift(line);
    history.splice(remembered);
    if ((await carryOut(context, admin, line)) === "bye") return;
  }
}

/** Carries out the lines of a pipe or a file, as `sh -e` does. */
async function readLines(context: CommandContext, admin: ConsoleAdmin): Promise<void> {
  const lines = createInterface({ input: process.stdin, signal: context.signal });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (/^\s*(?:#|$)/.test(line)) continue;
    const status = await carryOut(context, admin, line);
    if (status === "bye") return;
    if (status === 0) continue;
    throw new FlareError("cli/console-line", `Line ${number} has failed with exit status ${status}: ${line.trim()}`, {
      facts: { line: number, status },
    });
  }
}

/** A line from the terminal; `undefined` at its end. A reader of its own for each: while a command runs the terminal is the command's. */
async function ask({ signal }: CommandContext, history: readonly string[], groups: readonly FlareWord[]): Promise<string | undefined> {
  const reader = createInterface({
    input: process.stdin,
    output: process.stderr,
    history: [...history],
    historySize: remembered,
    completer: (line: string) => complete(line, groups),
    signal,
  });
  try {
    return await nextLine(reader);
  } finally {
    reader.close();
  }
}

function nextLine(reader: Interface): Promise<string | undefined> {
  const { promise, resolve: give } = Promise.withResolvers<string | undefined>();
  reader.setPrompt("> ");
  reader.on("line", give);
  // Ctrl-D, or a terminal that is gone.
  reader.on("close", () => give(undefined));
  // Ctrl-C takes the line back, as in a shell.
  reader.on("SIGINT", () => give(""));
  reader.prompt();
  return promise;
}

function complete(line: string, groups: readonly FlareWord[]): [string[], string] {
  const word = line.trimStart();
  if (word.includes(" ")) return [[], line];
  return [firstWords(groups).filter((name) => name.startsWith(word)), word];
}

/** @returns the exit status of the line's command, or that this was the end */
async function carryOut(context: CommandContext, admin: ConsoleAdmin, text: string): Promise<number | "bye"> {
  const { terminal } = context;
  try {
    const line = splitLine(text);
    const [first = "", second] = line.words;
    if (["bye", "exit", "quit"].includes(first)) return "bye";
    if (first === "lpwd") terminal.out(context.cwd);
    else if (first === "info") for (const one of infoLines(admin)) terminal.out(one);
    else if ((first === "help" || first === "?") && second === undefined) for (const one of helpLines()) terminal.out(one);
    else {
      const isHelp = first === "help" || first === "?";
      return await runCommand(context, admin, {
        ...line,
        words: isHelp ? helpWords(line.words.slice(1), admin.groups) : argvOf(line.words, admin.groups),
      });
    }
    return 0;
  } catch (mistake) {
    if (!(mistake instanceof LineMistake)) throw mistake;
    terminal.err(terminal.colors.red(mistake.message));
    return 4;
  }
}

async function runCommand(
  { cwd, env, terminal, signal, connectTimeoutMs }: CommandContext,
  admin: ConsoleAdmin,
  line: ConsoleLine,
): Promise<number> {
  let file: FileHandle | undefined;
  if (line.file !== undefined) {
    const path = resolve(cwd, line.file);
    try {
      file = await open(path, line.isAppended ? "a" : "w");
    } catch (reason) {
      terminal.err(terminal.colors.red(`${path} cannot be written: ${reason instanceof Error ? reason.message : String(reason)}`));
      return 1;
    }
  }
  try {
    const limit = connectTimeoutMs === undefined ? [] : ["--connect-timeout", String(connectTimeoutMs / 1000)];
    const child = spawn(process.execPath, [flareCommandPath(), ...limit, ...line.words], {
      stdio: [process.stdin.isTTY ? "inherit" : "ignore", file?.fd ?? "inherit", "inherit"],
      env: { ...env, FLARE_STARTUP_KIT_DIR: admin.kitDir, ...(admin.study === undefined ? {} : { FLARE_STUDY: admin.study }) },
    });
    const stop = (): void => void child.kill("SIGTERM");
    signal.addEventListener("abort", stop);
    const [code] = (await once(child, "close").finally(() => signal.removeEventListener("abort", stop))) as [number | null];
    return code ?? 1;
  } finally {
    await file?.close();
  }
}

function infoLines({ name, study, kitDir, server }: ConsoleAdmin): readonly string[] {
  return [`admin   ${name}`, `study   ${study ?? "that of everybody"}`, `server  ${server}`, `kit     ${kitDir}`];
}

function helpLines(): readonly string[] {
  const own = Object.entries(consoleWords).map(([name, summary]) => [name, "", summary]);
  const verbs = consoleVerbs.map(({ name, takes, summary }) => [name, takes, summary]);
  return [
    ...tableLines([{ title: "COMMAND" }, { title: "TAKES" }, { title: "" }], [...verbs, ...own]),
    "Commands of flare are taken as they are, such as 'job list' or 'cert status'. '> file' keeps the output of a line.",
  ];
}

/** The command line that tells what a command takes. */
function helpWords([name = "", ...rest]: readonly string[], groups: readonly FlareWord[]): readonly string[] {
  const known = consoleVerbs.find((verb) => verb.name === name);
  // Of the same command line only the words that name the command.
  const words = known === undefined ? argvOf([name, ...rest], groups) : known.argv(["server"]).slice(0, 2);
  return [...words, "--help"];
}

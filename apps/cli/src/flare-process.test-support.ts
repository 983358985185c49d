import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command, as people get it. */
const flare = fileURLToPath(new URL("../dist/flare.js", import.meta.url));

/** What a finished `flare` left behind. */
export interface FlareResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which the built command is run, with a POC workspace and a home of its own. */
export interface FlareFolder {
  readonly path: string;
  /** What command lines are given in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs a command line to its end. */
  run(...args: readonly string[]): Promise<FlareResult>;
  /** Runs a command line to its end, with this on its standard input. */
  feed(input: string, ...args: readonly string[]): Promise<FlareResult>;
  /** Runs a command line and reads `data` of its JSON envelope; fails when the command does. */
  data(...args: readonly string[]): Promise<unknown>;
  /** Starts a command line that goes on. */
  start(...args: readonly string[]): FlareProcess;
  /** Starts a command line that goes on, whose standard input stays open until the test ends it. */
  hold(...args: readonly string[]): FlareProcess;
  remove(): Promise<void>;
}

/** A running `flare`. */
export interface FlareProcess {
  readonly child: ChildProcess;
  /** Resolves when the output so far matches; rejects when the process ends before. */
  printed(pattern: RegExp): Promise<void>;
  readonly finished: Promise<FlareResult>;
}

/** Makes a temporary folder for command lines. */
export async function flareFolder(env: Readonly<Record<string, string>> = {}): Promise<FlareFolder> {
  const path = await mkdtemp(join(tmpdir(), "flare-cli-"));
  const environment = { HOME: path, NVFLARE_POC_WORKSPACE: join(path, "poc"), NO_COLOR: "1", ...env };
  const start = (...args: readonly string[]): FlareProcess => startFlare(args, path, environment, "");
  const run = (...args: readonly string[]): Promise<FlareResult> => start(...args).finished;
  return {
    path,
    environment,
    run,
    start,
    feed: (input, ...args) => startFlare(args, path, environment, input).finished,
    hold: (...args) => startFlare(args, path, environment, undefined),
    data: async (...args) => dataOf(args, await run(...args, "--format", "json")),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** `data` of the JSON envelope that a command line has printed. @throws Error when it failed */
export function dataOf(args: readonly string[], { exitCode, stdout, stderr }: FlareResult): unknown {
  if (exitCode !== 0) throw new Error(`flare ${args.join(" ")}: ${exitCode}\n${stdout}${stderr}`);
  return (JSON.parse(stdout) as { data: unknown }).data;
}

/** Whether a variable of the environment is a setting of ours or of FLARE's, which no test hands on. */
export function isSetting(variable: string): boolean {
  return /^(NV)?FLARE_/.test(variable);
}

/** The environment of this process without such settings. */
export function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

/** Starts a command line with what is on its standard input, which then ends; `undefined`: it stays open. */
function startFlare(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>, input: string | undefined): FlareProcess {
  const child = spawn(process.execPath, [flare, ...args], {
    cwd,
    env: { ...withoutSettings(), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // Most commands read nothing.
  child.stdin.on("error", () => {});
  if (input !== undefined) child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  let changed: () => void = () => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    changed();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    changed();
  });
  const finished = once(child, "close").then(([exitCode]): FlareResult => ({ exitCode: exitCode as number | null, stdout, stderr }));
  return {
    child,
    finished,
    printed: async (pattern) => {
      let isOver = false;
      const over = finished.then(() => (isOver = true));
      while (!pattern.test(stdout + stderr)) {
        if (isOver) throw new Error(`flare ended before it printed ${String(pattern)}:\n${stdout}${stderr}`);
        await Promise.race([over, new Promise<void>((resolve) => (changed = resolve))]);
      }
    },
  };
}

import { vi } from "vitest";
import { runFlare } from "./command-line/run-flare.js";
import { dataOf, type FlareFolder, type FlareResult, isSetting } from "./flare-process.test-support.js";

/**
 * Runs a command line to its end in this process, by what the built command runs: for what is said and what status it ends
 * with. What is promised of the process itself (its start, signals, pipes) needs one. Paths in it have to be absolute.
 */
export async function runHere(folder: FlareFolder, ...args: readonly string[]): Promise<FlareResult> {
  const before = new Map(outputs.map((name) => [name, process[name].listeners("error")]));
  const said = { stdout: "", stderr: "" };
  for (const name of Object.keys(process.env)) if (isSetting(name)) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(folder.environment)) vi.stubEnv(name, value);
  const spies = outputs.map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((...[chunk, ...rest]: readonly unknown[]) => {
      said[name] += String(chunk);
      const taken = rest.find((one) => typeof one === "function");
      taken?.();
      return true;
    }),
  );
  try {
    return { exitCode: await runFlare(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
    // A process runs one command line, and so takes none of them away.
    for (const name of outputs) {
      for (const listener of process[name].listeners("error")) {
        if (before.get(name)?.includes(listener) !== true) process[name].off("error", listener as (error: Error) => void);
      }
    }
  }
}

/** Runs a command line to its end in this process and reads `data` of its JSON envelope; fails when the command does. */
export async function dataHere(folder: FlareFolder, ...args: readonly string[]): Promise<unknown> {
  return dataOf(args, await runHere(folder, ...args, "--format", "json"));
}

const outputs = ["stdout", "stderr"] as const;

#!/usr/bin/env node
// `flare-client`: the command of the Client API for Python, which comes with this software; a trainer that is started by hand needs it.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

const client = join(dirname(createRequire(import.meta.url).resolve("@flare-ts/python-client/package.json")), "src");
const { FLARE_PYTHON: chosen = "", FLARE_COMMAND: flare = "", PYTHONPATH: others = "" } = process.env;
const python = chosen === "" ? "python3" : chosen;
// Heard from before there is a script, which may be told to stop as soon as it has begun.
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
// Ctrl-C at a terminal reaches both; the script decides what becomes of it.
process.on("SIGINT", () => {});
const child = spawn(python, ["-m", "flare_client", ...process.argv.slice(2)], {
  stdio: "inherit",
  env: {
    ...process.env,
    PYTHONPATH: others === "" ? client : `${client}${delimiter}${others}`,
    // A script that defines a job has it run by the command that came along, wherever that is.
    FLARE_COMMAND: flare === "" ? [process.execPath, join(import.meta.dirname, "flare.js")].map(quoted).join(" ") : flare,
  },
});
child.on("error", (error) => {
  process.stderr.write(`flare-client: ${python} cannot be run: ${error.message}. FLARE_PYTHON names another interpreter.\n`);
  process.exit(127);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));

/** A word as a shell reads it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

import process from "node:process";
import { runCommand } from "./run-command.mjs";
import { runTests } from "./run-tests.mjs";

/** Every gate by its word, the fastest first. `build` has run before any of them. */
const gates = {
  format: () => runCommand("biome", ["check", "."]),
  boundaries: () => runCommand("node", ["scripts/check-boundaries.mjs"]),
  unused: () => runCommand("knip", []),
  lint: () => runCommand("oxlint", ["--type-aware", "--deny-warnings"]),
  types: () => runCommand("turbo", ["run", "types", "--output-logs=errors-only"]),
  exports: () => runCommand("turbo", ["run", "exports", "--output-logs=errors-only"]),
  docs: () => runCommand("node", ["scripts/check-docs.mjs"]),
  test: () => runTests([]),
};

/** Runs the gates that `args` names, or all but those after `--except`. All of them run; the status tells whether all passed. */
export async function runGates(args) {
  const exceptAt = args.indexOf("--except");
  const only = exceptAt === -1 ? args : args.slice(0, exceptAt);
  const except = exceptAt === -1 ? [] : args.slice(exceptAt + 1);
  const unknown = [...only, ...except].filter((word) => !Object.hasOwn(gates, word));
  if (unknown.length > 0) {
    process.stderr.write(`There is no gate ${unknown.join(", ")}; the gates are ${Object.keys(gates).join(", ")}.\n`);
    return 4;
  }
  const failed = [];
  for (const [word, run] of Object.entries(gates)) {
    if ((only.length > 0 && !only.includes(word)) || except.includes(word)) continue;
    const start = Date.now();
    const status = await run();
    process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${word} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
    if (status === 130 || status === 143) return status;
    if (status !== 0) failed.push(word);
  }
  if (failed.length > 0) process.stdout.write(`Gates that failed: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
}

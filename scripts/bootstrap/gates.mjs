import process from "node:process";
import { runCommand } from "./run-command.mjs";
import { runTests } from "./run-tests.mjs";

/** Every gate by its word, the fastest first. `build` has run before any of them, and what others may be loading is not put in place anew. */
const gates = {
  format: () => runCommand("biome", ["check", "."]),
  boundaries: () => runCommand("node", ["scripts/check-boundaries.mjs"]),
  unused: () => runCommand("knip", []),
  lint: () => runCommand("oxlint", ["--type-aware", "--deny-warnings"]),
  types: () => runCommand("turbo", ["run", "types", "--only", "--output-logs=errors-only"]),
  exports: () => runCommand("turbo", ["run", "exports", "--only", "--output-logs=errors-only"]),
  docs: () => runCommand("node", ["scripts/check-docs.mjs"]),
  test: () => runTests([]),
};

/** The one that takes longer than all before it together, and mostly waits for processes: it runs beside them. */
const besideOthers = "docs";

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
  const words = Object.keys(gates).filter((word) => (only.length === 0 || only.includes(word)) && !except.includes(word));
  const before = words.filter((word) => word !== besideOthers && word !== "test");
  const lanes = [before, words.filter((word) => word === besideOthers)];
  const results = (await Promise.all(lanes.map(runInTurn))).flat();
  // Tests have the machine for themselves.
  if (results.every(({ isStopped }) => !isStopped)) results.push(...(await runInTurn(words.filter((word) => word === "test"))));
  const stopped = results.find(({ isStopped }) => isStopped);
  if (stopped !== undefined) return stopped.status;
  const failed = results.filter(({ status }) => status !== 0).map(({ word }) => word);
  if (failed.length > 0) process.stdout.write(`Gates that failed: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
}

/** Runs gates one after the other, and none after one that a signal stopped. */
async function runInTurn(words) {
  const results = [];
  for (const word of words) {
    const start = Date.now();
    const status = await gates[word]();
    const isStopped = status === 130 || status === 143;
    results.push({ word, status, isStopped });
    process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${word} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
    if (isStopped) break;
  }
  return results;
}

// The way in: `npm start`, `npm test` and `npm run check` do the set-up by themselves, on any Node from 20 up.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import process from "node:process";
import { runGates } from "./bootstrap/gates.mjs";
import { runChaos } from "./bootstrap/run-chaos.mjs";
import { runCommand } from "./bootstrap/run-command.mjs";
import { runTests } from "./bootstrap/run-tests.mjs";
import { setUp } from "./bootstrap/set-up.mjs";

const usage = `usage: node scripts/bootstrap.mjs start | test | chaos [option...] | check [gate...] [--except gate]`;

/** Carries out one of the commands and returns the exit status. */
async function main([command, ...args]) {
  if (command === "start") {
    await setUp();
    return await runCommand("node", ["examples/breast-cancer/src/run.ts", ...args]);
  }
  if (command === "test") {
    await setUp();
    return await runTests(args);
  }
  if (command === "chaos") {
    await setUp();
    return await runChaos(args);
  }
  if (command === "check") {
    await setUp();
    return await runGates(args);
  }
  process.stderr.write(`${usage}\n`);
  return 4;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

// Prints a benchmark's table and keeps its figures: `npm run bench -- rounds`.
import process from "node:process";
import { FlareError, nearestWord } from "@flare-ts/contracts";
import { benchAggregate } from "./aggregate/bench-aggregate.ts";
import { invalidArguments } from "./command-line/invalid-arguments.ts";
import { benchCompare } from "./compare/bench-compare.ts";
import { benchMemory } from "./memory/bench-memory.ts";
import { benchPage } from "./report/bench-page.ts";
import { benchRounds } from "./rounds/bench-rounds.ts";

const commands: Readonly<Record<string, { readonly about: string; readonly run: (args: readonly string[]) => Promise<void> }>> = {
  aggregate: { about: "how fast, how exactly and in how much memory updates are aggregated, beside NumPy and PyTorch", run: benchAggregate },
  compare: { about: "what changed beyond noise between two results of aggregate", run: benchCompare },
  memory: { about: "aggregates many updates of a large model under a limit on memory", run: benchMemory },
  page: { about: "draws the page of figures that were measured before", run: benchPage },
  rounds: { about: "seconds per round and of start-up, with real processes", run: benchRounds },
};

const usage = `usage: npm run bench -- <command> [options]

${Object.entries(commands)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join("\n")}

npm run bench -- <command> --help says more.
`;

process.exitCode = await run(process.argv.slice(2));

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "help") {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const command = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
    if (command === undefined) throw invalidArguments(unknownCommand(name));
    await command.run(args);
    return Number(process.exitCode ?? 0);
  } catch (cause) {
    // Anything else is a mistake of the benchmark: with its stack.
    if (!(cause instanceof FlareError)) throw cause;
    process.stderr.write(`${[cause.message, ...cause.problems.map(({ message, path }) => `  ${path ?? ""}: ${message}`)].join("\n")}\n`);
    return cause.row.exit;
  }
}

function unknownCommand(name: string | undefined): string {
  const names = Object.keys(commands);
  if (name === undefined) return `Name a benchmark: ${names.join(", ")}.`;
  const near = nearestWord(name, names);
  return `There is no benchmark '${name}': ${names.join(", ")}.${near === undefined ? "" : ` Did you mean '${near}'?`}`;
}

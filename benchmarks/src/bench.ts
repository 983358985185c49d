// Prints a benchmark's table and keeps its figures: `npm run bench -- rounds`.
import process from "node:process";
import { FlareError, nearestWord } from "@flare-ts/contracts/errors";
import { BenchError } from "./command-line/bench-error.ts";
import { invalidArguments } from "./command-line/invalid-arguments.ts";

interface Command {
  readonly about: string;
  /** Loads the command when it is called, because some load much. */
  readonly load: () => Promise<(args: readonly string[]) => Promise<void>>;
}

const commands: Readonly<Record<string, Command>> = {
  aggregate: {
    about: "how fast, how exactly and in how much memory updates are aggregated, beside NumPy and PyTorch",
    load: async () => (await import("./aggregate/bench-aggregate.ts")).benchAggregate,
  },
  compare: {
    about: "what changed beyond noise between two results of aggregate",
    load: async () => (await import("./compare/bench-compare.ts")).benchCompare,
  },
  dashboard: {
    about: "the share of a core that the dashboard takes for live views of a busy federation, and how soon its page can be used",
    load: async () => (await import("./dashboard/bench-dashboard.ts")).benchDashboard,
  },
  filters: {
    about: "seconds that the filters of a site's privacy policy take",
    load: async () => (await import("./filters/bench-filters.ts")).benchFilters,
  },
  masks: {
    about: "seconds that sites take to mask their updates, and the server to unmask the sum",
    load: async () => (await import("./masks/bench-masks.ts")).benchMasks,
  },
  memory: {
    about: "aggregates many updates of a large model under a limit on memory",
    load: async () => (await import("./memory/bench-memory.ts")).benchMemory,
  },
  page: {
    about: "draws the page of figures that were measured before",
    load: async () => (await import("./report/bench-page.ts")).benchPage,
  },
  provision: {
    about: "seconds to provision a hundred participants, beside making their keys alone",
    load: async () => (await import("./provision/bench-provision.ts")).benchProvision,
  },
  rounds: {
    about: "seconds per round and of start-up, with real processes",
    load: async () => (await import("./rounds/bench-rounds.ts")).benchRounds,
  },
  transfer: {
    about: "seconds of one upload, durable and verified, beside a bare stream of grpc-js",
    load: async () => (await import("./transfer/bench-transfer.ts")).benchTransfer,
  },
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
    const runCommand = await command.load();
    await runCommand(args);
    return Number(process.exitCode ?? 0);
  } catch (cause) {
    if (cause instanceof BenchError) {
      process.stderr.write(`${cause.message}\n`);
      return 1;
    }
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

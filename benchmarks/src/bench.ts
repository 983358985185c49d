// Prints a benchmark's table and keeps its figures: `npm run bench -- rounds`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { aggregateUsage, benchAggregate } from "./aggregate/bench-aggregate.ts";
import { readEnvironment } from "./environment.ts";
import { measureRounds } from "./measure-rounds.ts";
import { measureStartUp, type StartUp } from "./measure-start-up.ts";
import { peers } from "./peers.ts";
import { secondsText, summarize } from "./statistics.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sites: { type: "string", default: "2" },
    rounds: { type: "string", default: "30" },
    starts: { type: "string", default: "5" },
    clients: { type: "string", default: "8" },
    params: { type: "string", default: "25000000" },
    layout: { type: "string", default: "160" },
    mode: { type: "string", default: "all" },
    threads: { type: "string", default: "1,2" },
    runs: { type: "string", default: "5" },
    help: { type: "boolean", default: false },
  },
});

if (!values.help && positionals.length === 1 && positionals[0] === "aggregate") {
  await benchAggregate(values);
} else if (values.help || positionals.length !== 1 || positionals[0] !== "rounds") {
  process.stdout.write(`usage: npm run bench -- rounds [--sites 2] [--rounds 30] [--starts 5]

rounds   seconds per round of a 3x3 model over real processes and mutual TLS, and from start to the first registered site.
         Keeps the figures with machine, versions and commit in benchmarks/results/rounds.json.

       npm run bench -- ${aggregateUsage}
`);
  process.exitCode = values.help ? 0 : 4;
} else {
  await benchRounds(Number(values.sites), Number(values.rounds), Number(values.starts));
}

async function benchRounds(sites: number, rounds: number, starts: number): Promise<void> {
  const environment = readEnvironment();
  const perRound = await measureRounds({ sites, rounds });
  const round = summarize(perRound);
  const startUps: StartUp[] = [];
  for (let i = 0; i < starts; i += 1) startUps.push(await measureStartUp());
  const listening = summarize(startUps.map((one) => one.listening));
  const registered = summarize(startUps.map((one) => one.registered));
  const rows = [
    ["", "FLARE-TS", "FLARE", "Flower"],
    [`a round, 3x3 model, ${sites} sites`, secondsText(round), `${peers.round.flare} s`, `${peers.round.flower.toFixed(1)} s`],
    [
      "start to first registered site",
      secondsText(registered),
      `${peers.startUp.flare} s (${peers.startUp.flareWithoutSleep} s without its sleep)`,
      "-",
    ],
    ["start to listening", secondsText(listening), "-", "-"],
  ];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows)
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    );
  process.stdout.write(
    "Medians (smallest–largest, number). FLARE and Flower were measured on a machine of the same kind; see benchmarks/src/peers.ts.\n",
  );

  const folder = join(import.meta.dirname, "..", "results");
  mkdirSync(folder, { recursive: true });
  const result = { benchmark: "rounds", environment, sites, seconds: { round, registered, listening }, perRound, startUps, peers };
  writeFileSync(join(folder, "rounds.json"), `${JSON.stringify(result, undefined, 2)}\n`);
}

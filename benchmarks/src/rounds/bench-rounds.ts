import process from "node:process";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { type OptionTable, optionLines, parseOptions } from "../command-line/parse-options.ts";
import { listOf, wholeNumber } from "../command-line/parse-values.ts";
import { readEnvironment } from "../environment.ts";
import { keepResult } from "../result/keep-result.ts";
import { textColumns } from "../result/text-columns.ts";
import { secondsText, summarize } from "../statistics.ts";
import { benchLargeRounds } from "./large/bench-large-rounds.ts";
import { largeOptions, largeSettings } from "./large/large-settings.ts";
import { measureRounds } from "./measure-rounds.ts";
import { measureStartUp, type StartUp } from "./measure-start-up.ts";
import { peers } from "./peers.ts";

const options = {
  sites: { value: "<count>", about: "sites that take part [2]; several with commas, such as 2,8,32, of a large model" },
  rounds: { value: "<count>", about: "rounds after the first [30; 5 of a large model]" },
  starts: { value: "<count>", about: "starts of a server and a site, with the 3x3 model [5]" },
  ...largeOptions,
  json: { about: "prints the figures as JSON" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

const usage = `usage: npm run bench -- rounds [options]

Seconds per round over real processes and mutual TLS: of a 3x3 model, with the time from start to the first registered site; or of a
large model, with the memory of server and sites. Keeps the figures with machine, versions and commit in benchmarks/results/rounds.json,
those of a large model in rounds-<size>.json.

${optionLines(options)}
`;

/** Measures rounds and start-up, prints a table and keeps the figures. @throws `cli/invalid-arguments` */
export async function benchRounds(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  if (given.words[0] !== undefined) throw invalidArguments(`rounds takes options only, not '${given.words[0]}'.`);
  const counts = listOf("--sites", given.last("sites") ?? "2", (text) => wholeNumber("--sites", text));
  const isLarge = given.last("model") !== undefined;
  const rounds = wholeNumber("--rounds", given.last("rounds") ?? (isLarge ? "5" : "30"));
  const large = counts.map((sites) => largeSettings(given, { sites, rounds })).filter((each) => each !== undefined);
  if (isLarge && given.last("starts") !== undefined) throw invalidArguments("--starts goes without --model only.");
  if (large.length > 0) return benchLargeRounds(large, { isJson: given.has("json") });
  const [sites = 2, ...others] = counts;
  if (others.length > 0) throw invalidArguments("--sites takes several counts with --model only.");
  const starts = wholeNumber("--starts", given.last("starts") ?? "5");
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
  const result = { benchmark: "rounds", environment, sites, seconds: { round, registered, listening }, perRound, startUps, peers };
  const text = [
    ...textColumns(rows),
    "Medians (smallest–largest, number). FLARE and Flower were measured on a machine of the same kind; see benchmarks/src/rounds/peers.ts.",
    "",
  ].join("\n");
  process.stdout.write(given.has("json") ? keepResult("rounds", result) : text);
  if (!given.has("json")) keepResult("rounds", result);
}

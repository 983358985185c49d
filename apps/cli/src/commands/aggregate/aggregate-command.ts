import { engineNames, strategyNames } from "@flare-ts/aggregator";
import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import type { AggregateOptions } from "./aggregate-files.js";

/** Adds `flare aggregate`. */
export function addAggregateCommand(command: Command, bind: BindHandler): void {
  command
    .argument("<files...>", "safetensors files, one of each contributor; the first says which tensors there are, unless --base does")
    .requiredOption("-w, --weights <list>", "numbers of samples, one for each file, with commas between them")
    .requiredOption("-o, --output <file>", "where the new model goes")
    .addOption(new Option("-s, --strategy <name>", "how updates become a model").choices(strategyNames).default("fed-avg"))
    .option("--strategy-option <key=value>", "a setting of the strategy; may be given several times", collect, [])
    .addOption(
      new Option("--params-type <type>", "whether files are whole models or differences").choices(["FULL", "DIFF"]).default("FULL"),
    )
    .option("--base <file>", "the global model that files were trained from; needed for DIFF and by some strategies")
    .option("--staleness <list>", "rounds between the base and what each file was trained from, for fed-buff")
    .option("--state-from <folder>", "what the strategy kept in the round before; none at the first round")
    .option("--state-to <folder>", "where the strategy keeps what the next round needs")
    .addOption(new Option("--mode <mode>", "how numbers are summed").choices(["exact", "fast", "float64"]).default("exact"))
    .addOption(new Option("--engine <engine>", "what computes").choices(engineNames).default("auto"))
    .option("--threads <count>", "threads for the sums, 1 to 8; by default one for each processor, at most 4")
    .addHelpText(
      "after",
      `${examplesText([
        [
          "the weighted mean of three models",
          "flare aggregate -w 120,80,200 a.safetensors b.safetensors c.safetensors -o global.safetensors",
        ],
        ["the fastest way, with sums in float32", "flare aggregate -w 1,1 a.safetensors b.safetensors -o out.safetensors --mode fast"],
        [
          "without a fifth of the values at either end",
          "flare aggregate -w 1,1,1,1,1 *.safetensors -o out.safetensors --strategy trimmed-mean --strategy-option fraction=0.2",
        ],
      ])}
With the mode exact the result has the same bytes in any order of files, with any engine and any number of threads. A tensor that
some files lack is averaged over the others. A file with NaN, infinity, other shapes or other types is refused by name, and then
nothing is written. 'flare doctor engines' says which engines run here.
`,
    )
    .action(
      bind(
        async () => (await import("./aggregate-files.js")).aggregateFiles,
        (_words, flags): AggregateOptions => ({
          files: command.args,
          weights: flags["weights"] as string,
          output: flags["output"] as string,
          strategy: flags["strategy"] as string,
          strategyOptions: flags["strategyOption"] as readonly string[],
          paramsType: flags["paramsType"] as AggregateOptions["paramsType"],
          base: flags["base"] as string | undefined,
          staleness: flags["staleness"] as string | undefined,
          stateFrom: flags["stateFrom"] as string | undefined,
          stateTo: flags["stateTo"] as string | undefined,
          mode: flags["mode"] as AggregateOptions["mode"],
          engine: flags["engine"] as AggregateOptions["engine"],
          threads: flags["threads"] as string | undefined,
        }),
      ),
    );
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

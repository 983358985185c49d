import { limits } from "@flare-ts/contracts/errors";
import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { wholeNumber } from "../../command-line/number-arguments.js";
import { addDataset, gpuGroups, logLevel, nameList, type SimulatedDataset } from "./simulator-arguments.js";
import { jobFolderName, simulatorDefaults } from "./simulator-defaults.js";

/** Adds `flare simulator`. */
export function addSimulatorCommand(command: Command, bind: BindHandler): void {
  command
    .argument("<job_folder>", "the job: meta.json and its app folders")
    .option("-w, --workspace <dir>", "folder for logs and the result", simulatorDefaults.workspace)
    .addOption(
      new Option("-n, --n_clients <n>", "how many sites, named site-1, site-2, ... (default: those that deploy_map names, or 2)").argParser(
        wholeNumber(1, limits.pocSites),
      ),
    )
    .addOption(new Option("-c, --clients <names>", "names of the sites, with commas between them").argParser(nameList))
    .addOption(new Option("-t, --threads <n>", "accepted for FLARE's sake: all sites train at the same time").argParser(wholeNumber(1)))
    .addOption(
      new Option("--gpu <ids>", "CUDA_VISIBLE_DEVICES of the sites in turn: 0,1 or [0,1],[2,3]; -gpu is the same").argParser(gpuGroups),
    )
    .addOption(
      new Option("-l, --log_config <level>", "how much the logs say: debug, info, warn or error (default: info)").argParser(logLevel),
    )
    .addOption(
      new Option("-m, --max_clients <n>", "refuse more sites than this").argParser(wholeNumber(1)).default(simulatorDefaults.maxClients),
    )
    .addOption(
      new Option(
        "--dataset <name=path>",
        "where the sites find a data set; {site} in the path is the site's name; may be repeated",
      ).argParser(addDataset),
    )
    .option(
      "--stop-with-input",
      "stop when the standard input ends: for a program that holds its other end, so that no run outlives it; waits for one that still stops",
    )
    .option("--end_run_for_all", "accepted for FLARE's sake: every site always learns that the job is over")
    .addHelpText(
      "after",
      `${examplesText([
        ["a job with two sites", "flare simulator my_job -w workspace -n 2"],
        ["sites with names, each with its own data", "flare simulator my_job -c north,south --dataset patients=data/{site}.csv"],
        ["two GPUs, one for every other site", "flare simulator my_job -n 4 -gpu 0,1"],
        ["in a script", "flare simulator my_job -n 2 --format json"],
      ])}
A server and sites are made for this one run, started as processes of their own with certificates of their own, and stopped at its
end, whatever that is; what a run that was killed has left is ended by the next one in its workspace. There are then
  server/${jobFolderName}/models/       the model
  server/log.txt, <site>/log.txt       logs
  <site>/${jobFolderName}/trainer.log   what the training script printed
The next run in the workspace replaces all that. Exit status 0 only if the job ends as FINISHED:COMPLETED.
`,
    )
    .action(
      bind(
        async () => (await import("./simulate.js")).simulate,
        ([jobFolder = ""], flags) => ({
          jobFolder,
          workspace: flags["workspace"] as string,
          count: flags["n_clients"] as number | undefined,
          names: flags["clients"] as readonly string[] | undefined,
          threads: flags["threads"] as number | undefined,
          gpus: flags["gpu"] as readonly string[] | undefined,
          logLevel: flags["log_config"] as ReturnType<typeof logLevel> | undefined,
          maxClients: flags["max_clients"] as number,
          datasets: (flags["dataset"] as readonly SimulatedDataset[] | undefined) ?? [],
          stopsWithInput: flags["stopWithInput"] === true,
          endsRunForAll: flags["end_run_for_all"] === true,
        }),
      ),
    );
}

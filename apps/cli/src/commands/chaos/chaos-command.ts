import {
  type FaultKind,
  faultKinds,
  faultTexts,
  type JobCourse,
  jobCourses,
  type TrainerLanguage,
  trainerLanguages,
} from "@flare-ts/chaos";
import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { wholeNumber } from "../../command-line/number-arguments.js";

/** Faults of a run, unless it is told otherwise; each kind has its turn. */
const defaultFaults = 20;

/** Adds `flare chaos`. */
export function addChaosCommand(command: Command, bind: BindHandler): void {
  const width = Math.max(...faultKinds.map((kind) => kind.length));
  command
    .addOption(new Option("-n, --faults <n>", "how many faults").argParser(wholeNumber(1, 100_000)).default(defaultFaults))
    .addOption(
      new Option("-s, --seed <n>", "which faults, in which order; the report names it (default: a random one)").argParser(
        wholeNumber(0, 2 ** 32 - 1),
      ),
    )
    .addOption(new Option("-k, --kinds <kind...>", "only faults of these kinds (default: all)").choices(faultKinds))
    .addOption(
      new Option("--trainer <language>", "what the trainers are written in; python needs NumPy")
        .choices(trainerLanguages)
        .default("typescript"),
    )
    .addOption(
      new Option(
        "--job <course>",
        "what the job goes through: rounds of FedAvg; these, SCAFFOLD, cyclic training and evaluations; rounds with secure aggregation; or FedBuff",
      )
        .choices(jobCourses)
        .default("rounds"),
    )
    .option("--force", "stop the POC federation first where it runs")
    .addHelpText(
      "after",
      `${examplesText([
        ["twenty faults, some minutes", "flare poc prepare -n 2 && flare chaos"],
        ["two hundred, the same as somebody else had", "flare chaos --faults 200 --seed 7"],
        ["as with training scripts in Python", "flare chaos --trainer python"],
        ["through every workflow", "flare chaos --job workflows"],
        ["with updates that the server cannot read", "flare chaos --job secure"],
        ["where no site waits for another", "flare chaos --job async"],
        ["links only, for a script", "flare chaos --kinds cut black-hole throttle delay --format json"],
      ])}
A job runs twice on copies of the kits in the POC workspace: in peace, then while faults happen to it. At the end it must have ended
alike, with the same bytes, each update counted once, and no process, socket or temporary file left. With --job async the bytes depend on who
was quicker: they must be those that follow from the job's journal. The POC federation itself is not touched, but must not run meanwhile.
Kinds of faults:
${faultKinds.map((kind) => `  ${kind.padEnd(width)}  ${faultTexts[kind]}`).join("\n")}
Disks of its own to fill need root; elsewhere the writes of Node fail in their place. docs/chaos.md says more.
`,
    )
    .action(
      bind(
        async () => (await import("./chaos-on-poc.js")).chaosOnPoc,
        (_words, flags) => ({
          faults: flags["faults"] as number,
          seed: flags["seed"] as number | undefined,
          kinds: (flags["kinds"] as FaultKind[] | undefined) ?? faultKinds,
          trainer: flags["trainer"] as TrainerLanguage,
          course: flags["job"] as JobCourse,
          isForced: flags["force"] === true,
        }),
      ),
    );
}

import { type Command, Option } from "commander";
import type { BindHandler } from "./bind-handler.js";
import { outputFormats } from "./command-context.js";
import { type CommandGroup, commandGroups } from "./command-group.js";
import { examplesText } from "./examples-text.js";
import { FlareCommand } from "./flare-command.js";
import { positiveSeconds } from "./number-arguments.js";
import { softwareVersion } from "./software-version.js";

/** What commander writes while it parses: help and version to `out`, nothing else. */
export interface ProgramOutput {
  readonly out: (text: string) => void;
  /** Takes the help that is shown in place of a command that is not named. */
  readonly outHelp: (text: string) => void;
  readonly columns: number;
}

/**
 * Builds the parser of the command line. Only the group that `argv` names is loaded with its commands, so that a start costs
 * what the command needs and no more.
 */
export async function buildProgram(argv: readonly string[], bind: BindHandler, output: ProgramOutput): Promise<Command> {
  const program = new FlareCommand("flare")
    .description("Federated learning between institutions that may not move their data.")
    .version(softwareVersion(), "-V, --version", "print the version")
    .addOption(new Option("--format <form>", "form of the output").choices(outputFormats).default("txt"))
    .option("--connect-timeout <seconds>", "time for the server to let an admin in (default: a minute of silence)", positiveSeconds)
    .option("--verbose", "debug log, and stack traces with errors")
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: output.out,
      writeErr: output.outHelp,
      getOutHelpWidth: () => output.columns,
      // Mistakes of the command line are printed like every other error, by whoever runs the program.
      outputError: () => {},
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      `${examplesText([
        [
          "a federation on this machine, from nothing to a running job",
          "flare poc prepare -n 2 && flare poc start && flare job submit -j my_job",
        ],
        ["what a command takes, with examples", "flare job submit --help"],
        ["the same for a script", "flare job list --format json"],
      ])}
Exit status: 0 done, 1 error, 2 no connection or not let in, 3 timeout, 4 command line not understood, 5 fault of this software,
130 or 143 stopped by Ctrl-C or SIGTERM before it was done. The first Ctrl-C stops in good order, the second at once.
`,
    );
  const wordsOf = ({ name, aliases = [] }: CommandGroup): readonly string[] => [name, ...aliases];
  const named = argv.find((word) => commandGroups.some((group) => wordsOf(group).includes(word)));
  for (const group of commandGroups) {
    const command = program
      .command(group.name)
      .aliases([...(group.aliases ?? [])])
      .description(group.summary);
    if (named !== undefined && wordsOf(group).includes(named)) (await group.load())(command, bind);
  }
  return program;
}

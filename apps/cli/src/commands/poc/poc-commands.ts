import { limits } from "@flare-ts/contracts/errors";
import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { positiveSeconds, wholeNumber } from "../../command-line/number-arguments.js";
import { pocDefaults } from "./poc-defaults.js";
import { pocFolderVariable } from "./poc-folder.js";

/** Adds `flare poc …`. */
export function addPocCommands(group: Command, bind: BindHandler): void {
  group.addHelpText(
    "after",
    `${examplesText([
      ["a server and two sites on this machine", "flare poc prepare -n 2 && flare poc start"],
      ["a job on them", "flare job submit -j my_job"],
      ["the end", "flare poc stop && flare poc clean"],
    ])}
The POC workspace is ~/.flare/poc, or the folder that ${pocFolderVariable} names. It survives a restart of the machine.
`,
  );
  group
    .command("prepare")
    .description("make certificates and kits for a federation on this machine")
    .addOption(
      new Option("-n, --number-of-clients <n>", "how many sites, named site-1, site-2, ...")
        .argParser(wholeNumber(1, limits.pocSites))
        .default(pocDefaults.clients),
    )
    .option("-c, --clients <name...>", "names of the sites instead of a number")
    .addOption(new Option("-i, --project-input <file>", "take this project.yml").conflicts(["numberOfClients", "clients", "port"]))
    .addOption(
      new Option("--port <number>", `port of the server (default: ${pocDefaults.port}, or a free one when it is taken)`).argParser(
        wholeNumber(1, 65_535),
      ),
    )
    .option("--force", "replace the federation that is there")
    .addHelpText(
      "after",
      examplesText([
        ["sites site-1 to site-3", "flare poc prepare -n 3"],
        ["sites with names", "flare poc prepare -c hospital-1 hospital-2"],
        ["a project of your own; its server must be reachable on this machine", "flare poc prepare -i project.yml"],
      ]),
    )
    .action(
      bind(
        async () => (await import("./prepare-poc.js")).preparePoc,
        (_words, flags) => ({
          numberOfClients: flags["numberOfClients"] as number,
          clients: (flags["clients"] as string[] | undefined)?.flatMap((text) => text.split(/[\s,]+/)).filter((name) => name !== ""),
          projectFile: flags["projectInput"] as string | undefined,
          port: flags["port"] as number | undefined,
          isForced: flags["force"] === true,
        }),
      ),
    );
  selection(group.command("start").description("start the server and the sites in the background, and wait until they are connected"))
    .option("--no-wait", "return as soon as the processes run, ready or not; flare poc status says what became of them")
    .option("--timeout <seconds>", "wait so long for the sites", positiveSeconds, pocDefaults.startSeconds)
    .addHelpText(
      "after",
      examplesText([
        ["everything", "flare poc start"],
        ["one service", "flare poc start -p site-1"],
        ["everything but one", "flare poc start -ex site-2"],
      ]),
    )
    .action(
      bind(
        async () => (await import("./start-poc.js")).startPoc,
        (_words, flags) => ({ ...selected(flags), isWaiting: flags["wait"] !== false, timeoutMs: (flags["timeout"] as number) * 1000 }),
      ),
    );
  selection(group.command("stop").description("stop the sites, then the server; each drains first"))
    .option("--timeout <seconds>", "wait so long for each", positiveSeconds, pocDefaults.stopSeconds)
    .addHelpText("after", examplesText([["harmless when nothing runs", "flare poc stop"]]))
    .action(
      bind(
        async () => (await import("./stop-poc.js")).stopPoc,
        (_words, flags) => ({ ...selected(flags), timeoutMs: (flags["timeout"] as number) * 1000 }),
      ),
    );
  group
    .command("status")
    .description("list the services and say which of them run")
    .addHelpText("after", examplesText([["for a script", "flare poc status --format json"]]))
    .action(
      bind(
        async () => (await import("./poc-status.js")).pocStatus,
        () => ({}),
      ),
    );
  group
    .command("clean")
    .description("remove the POC workspace: kits, jobs, models, logs")
    .option("--force", "stop what still runs first")
    .addHelpText("after", examplesText([["stop and remove in one go", "flare poc clean --force"]]))
    .action(
      bind(
        async () => (await import("./clean-poc.js")).cleanPoc,
        (_words, flags) => ({ isForced: flags["force"] === true }),
      ),
    );
}

function selection(command: Command): Command {
  return command
    .option("-p, --service <name...>", "only these services")
    .option("--exclude <name...>", "all services but these; -ex is the same");
}

function selected(flags: Readonly<Record<string, unknown>>): { readonly only: readonly string[]; readonly except: readonly string[] } {
  return { only: (flags["service"] as string[] | undefined) ?? [], except: (flags["exclude"] as string[] | undefined) ?? [] };
}

import { limits } from "@flare-ts/contracts/errors";
import type { Command } from "commander";
import { adminKitHelp } from "../../admin-kit/find-admin-kit.js";
import { studyFlags, withStudyFlags } from "../../admin-kit/study-flag.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { secondsUpTo, shortText } from "../../command-line/number-arguments.js";
import { targetsOf, targetsOfSites } from "./operation-targets.js";

/** Adds `flare system …`. */
export function addSystemCommands(group: Command, bind: BindHandler): void {
  group.addHelpText("after", adminKitHelp);
  withTargets(withStudyFlags(group.command("status").description("say which sites are connected, and which jobs run")), "[target]")
    .addHelpText("after", examplesText([["for a script", "flare system status --format json"]]))
    .action(
      bind(
        async () => (await import("./system-status.js")).systemStatus,
        (words, flags) => ({ ...targetsOf(words), ...studyFlags(flags) }),
      ),
    );
  withTargets(
    withStudyFlags(group.command("resources").description("say what server and sites run on, and what of it is free")),
    "[target]",
  )
    .addHelpText("after", examplesText([["of two sites", "flare system resources client hospital-1 hospital-2"]]))
    .action(
      bind(
        async () => (await import("./system-resources.js")).systemResources,
        (words, flags) => ({ ...targetsOf(words), ...studyFlags(flags) }),
      ),
    );
  withSites(
    withStudyFlags(group.command("version").description("say which versions server and sites run, and who has another than the server")),
  )
    .addHelpText("after", examplesText([["of all, for a script", "flare system version --format json"]]))
    .action(
      bind(
        async () => (await import("./system-version.js")).systemVersion,
        (_words, flags) => ({ ...targetsOfSites(flags["site"] as string), ...studyFlags(flags) }),
      ),
    );
  addEnd(
    group,
    bind,
    "shutdown",
    "end sites, the server, or sites and then the server, in good order; they stay down until they are started where they are",
  );
  addEnd(
    group,
    bind,
    "restart",
    "end sites, the server or all of them in good order and have them start again, and wait until they are back",
  );
  withSiteArguments(group.command("disable-client").description("keep sites out, whatever restarts, until they are enabled again"))
    .option("--reason <text>", "why; the site is told, and it stands in the status", shortText(limits.abortReasonChars), "")
    .addHelpText(
      "after",
      examplesText([["for the time of an audit", 'flare system disable-client hospital-2 --reason "audit of its data"']]),
    )
    .action(
      bind(
        async () => (await import("./admit-sites.js")).disableSites,
        (sites, flags) => ({ sites, reason: flags["reason"] as string, isForced: flags["force"] === true, ...studyFlags(flags) }),
      ),
    );
  withSiteArguments(group.command("enable-client").description("let sites in again, which come back by themselves"))
    .addHelpText("after", examplesText([["in a script", "flare system enable-client hospital-2 --force"]]))
    .action(
      bind(
        async () => (await import("./admit-sites.js")).enableSites,
        (sites, flags) => ({ sites, reason: "", isForced: flags["force"] === true, ...studyFlags(flags) }),
      ),
    );
  withSites(withStudyFlags(group.command("log-config").description("change how much running processes log, until they restart")))
    .argument("<level>", "error, warn, info or debug; reload: what local/log_config.json says")
    .addHelpText("after", examplesText([["for a look at one site", "flare system log-config debug --site hospital-1"]]))
    .action(
      bind(
        async () => (await import("./configure-log.js")).configureLog,
        ([level = ""], flags) => ({ level, ...targetsOfSites(flags["site"] as string), ...studyFlags(flags) }),
      ),
    );
}

/** How long each step may take, by default; FLARE's. */
const stepSeconds = 30;

function addEnd(group: Command, bind: BindHandler, how: "shutdown" | "restart", summary: string): void {
  withTargets(withStudyFlags(group.command(how).description(summary)), "<target>")
    .option("--force", "do not ask")
    .option("--no-wait", "do not wait for what happens, only for the word of each that it will")
    .option("--timeout <seconds>", "how long each step may take", secondsUpTo(limits.stallMs / 1000), stepSeconds)
    .addHelpText(
      "after",
      `${examplesText([
        ["one site", `flare system ${how} client hospital-1`],
        ["everything, in a script", `flare system ${how} all --force`],
      ])}
Each site asks its own policy. Exit status 0 only if all have done it; else what each did is in the message, and in the facts with --format json.
`,
    )
    .action(
      bind(
        async () => (await import("./end-participants.js")).endParticipants,
        (words, flags) => ({
          how,
          ...targetsOf(words),
          isForced: flags["force"] === true,
          isAwaited: flags["wait"] !== false,
          timeoutMs: Math.round((flags["timeout"] as number) * 1000),
          ...studyFlags(flags),
        }),
      ),
    );
}

function withTargets(command: Command, target: "<target>" | "[target]"): Command {
  return command
    .argument(target, `server, client or all${target === "[target]" ? " (default: all)" : ""}`)
    .argument("[sites...]", "after client: names of sites (default: all that are connected)");
}

function withSites(command: Command): Command {
  return command.option("--site <names>", "server, client, all, or names of sites with commas between them", "all");
}

function withSiteArguments(command: Command): Command {
  return withStudyFlags(command).argument("<sites...>", "names of sites").option("--force", "do not ask");
}

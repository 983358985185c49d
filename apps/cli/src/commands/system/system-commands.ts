import type { Command } from "commander";
import { adminKitHelp } from "../../admin-kit/find-admin-kit.js";
import { studyFlags, withStudyFlags } from "../../admin-kit/study-flag.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare system …`. */
export function addSystemCommands(group: Command, bind: BindHandler): void {
  withStudyFlags(group.command("status").description("say which sites are connected, and which jobs run"))
    .addHelpText("after", `${examplesText([["for a script", "flare system status --format json"]])}${adminKitHelp}`)
    .action(
      bind(
        async () => (await import("./system-status.js")).systemStatus,
        (_words, flags) => studyFlags(flags),
      ),
    );
}

import type { Command } from "commander";
import { adminKitHelp } from "../../admin-kit/find-admin-kit.js";
import { studyFlags, withStudyFlags } from "../../admin-kit/study-flag.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare console`. */
export function addConsoleCommand(command: Command, bind: BindHandler): void {
  withStudyFlags(command)
    .addHelpText(
      "after",
      `${examplesText([
        ["on a terminal", "flare console"],
        ["the same from a kit", "admin@example.org/startup/fl_admin.sh"],
        ["for a script: ends with the status of the first line that fails", "printf 'check_status server\\nlist_jobs\\n' | flare console"],
      ])}
Each line is a command of flare without that word, such as 'job list', or one of FLARE's console, such as 'list_jobs'; 'help' lists those.
'> file' and '>> file' at the end of a line keep its output. Tab completes, the arrow keys give earlier lines, and bye or Ctrl-D ends. Ctrl-C
ends the command that runs, not the console. Nothing stays connected between two lines, so no session runs out.
${adminKitHelp}`,
    )
    .action(
      bind(
        async () => (await import("./run-console.js")).runConsole,
        (_words, flags) => ({
          ...studyFlags(flags),
          groups: (command.parent?.commands ?? [])
            .filter((one) => one !== command)
            .map((one) => ({ name: one.name(), aliases: one.aliases() })),
        }),
      ),
    );
}

import type { AuditOutcome } from "@flare-ts/provision";
import type { CommandContext } from "../../command-line/command-context.js";

/** Says when the record of a request or an approval could not be written. */
export function warnOfAudit({ terminal }: CommandContext, outcome: AuditOutcome): void {
  if ("problem" in outcome) terminal.err(`${terminal.colors.yellow("warning:")} ${outcome.problem}`);
}

import { FlareError } from "@flare-ts/contracts";
import { askYes } from "../terminal/ask-yes.js";
import type { CommandContext } from "./command-context.js";

/** What somebody is asked before it is done. */
export interface Confirmation {
  readonly question: string;
  /** What would be done, such as `Aborting a job`. */
  readonly deed: string;
  /** What is said when the answer is no. */
  readonly refusal: string;
}

/** Passes when a person says yes. @throws FlareError `cli/not-confirmed` */
export async function confirmed(context: CommandContext, { question, deed, refusal }: Confirmation): Promise<void> {
  if (!process.stdin.isTTY || context.format !== "txt") {
    throw new FlareError("cli/not-confirmed", `${deed} needs --force where nobody can be asked.`);
  }
  if (!(await askYes(question, context.signal))) throw new FlareError("cli/not-confirmed", refusal);
}

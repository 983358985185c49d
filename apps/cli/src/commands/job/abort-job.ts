import { FlareError } from "@flare-ts/contracts";
import { withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { askYes } from "../../terminal/ask-yes.js";
import { parseJobId } from "./parse-job-id.js";

/** What `flare job abort` is given. */
export interface AbortJobOptions {
  readonly jobId: string;
  readonly reason: string;
  readonly isForced: boolean;
  readonly startupKit: string | undefined;
}

/**
 * Ends a job, after a person said so.
 *
 * @throws FlareError `cli/not-confirmed`.
 */
export async function abortJob(context: CommandContext, options: AbortJobOptions): Promise<CommandOutput> {
  const { reason, isForced, startupKit } = options;
  const jobId = parseJobId(options.jobId);
  if (!isForced) await confirm(context, `Abort job ${jobId} at the server and at all sites?`);
  const { status } = await withAdmin(context, startupKit, (session) => session.abortJob(jobId, reason, context.signal));
  const text = status === "FINISHED:ABORTED" ? `Aborted ${jobId}.` : `Job ${jobId} was over before, with status ${status}.`;
  return { data: { job_id: jobId, status, reason }, text: [text] };
}

async function confirm(context: CommandContext, question: string): Promise<void> {
  if (!process.stdin.isTTY || context.format !== "txt") {
    throw new FlareError("cli/not-confirmed", "Aborting a job needs --force where nobody can be asked.");
  }
  if (!(await askYes(question, context.signal))) throw new FlareError("cli/not-confirmed", "The job was not aborted.");
}

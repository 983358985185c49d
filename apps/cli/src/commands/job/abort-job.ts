import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { confirmed } from "../../command-line/confirmed.js";
import { parseJobId } from "./parse-job-id.js";

/** What `flare job abort` is given. */
export interface AbortJobOptions extends StudyOptions {
  readonly jobId: string;
  readonly reason: string;
  readonly isForced: boolean;
}

/**
 * Ends a job, after a person said so.
 *
 * @throws FlareError `cli/not-confirmed`.
 */
export async function abortJob(context: CommandContext, options: AbortJobOptions): Promise<CommandOutput> {
  const { reason, isForced } = options;
  const jobId = parseJobId(options.jobId);
  if (!isForced)
    await confirmed(context, {
      question: `Abort job ${jobId} at the server and at all sites?`,
      deed: "Aborting a job",
      refusal: "The job was not aborted.",
    });
  const { status, wasOver } = await withAdminInStudy(context, options, (session) => session.abortJob(jobId, reason, context.signal));
  const text = wasOver ? `Job ${jobId} was over before, with status ${status}.` : `Aborted ${jobId}.`;
  return { data: { job_id: jobId, status, was_over: wasOver, reason }, text: [text] };
}

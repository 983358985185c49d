import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { confirmed } from "../../command-line/confirmed.js";
import { parseJobId } from "./parse-job-id.js";

/** What `flare job delete` is given. */
export interface DeleteJobOptions extends StudyOptions {
  readonly jobId: string;
  readonly isForced: boolean;
}

/**
 * Deletes a job that is over, after a person said so.
 *
 * @throws FlareError `cli/not-confirmed`, `job/not-over`.
 */
export async function deleteJob(context: CommandContext, options: DeleteJobOptions): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  if (!options.isForced) {
    await confirmed(context, {
      question: `Delete job ${jobId} with its result, journal and logs?`,
      deed: "Deleting a job",
      refusal: "The job was not deleted.",
    });
  }
  await withAdminInStudy(context, options, (session) => session.deleteJob(jobId, context.signal));
  return { data: { job_id: jobId, is_deleted: true }, text: [`Deleted ${jobId}.`] };
}

import { FlareError } from "@flare-ts/contracts";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { endedJobData } from "./ended-job-data.js";
import { endText } from "./job-end.js";
import { parseJobId } from "./parse-job-id.js";
import { showRounds } from "./show-rounds.js";

/**
 * Shows a job from its first event to its last.
 *
 * @throws FlareError `cli/job-not-completed`, `internal/aborted` when it was told to stop watching.
 */
export async function monitorJob(context: CommandContext, options: StudyOptions & { readonly jobId: string }): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const report = await withAdminInStudy(context, options, (session) => showRounds(context, session, jobId));
  if (report.end === undefined) {
    throw new FlareError("internal/aborted", `Stopped watching job ${jobId}; the job itself goes on.`, {
      facts: { jobId },
    });
  }
  const said = endText(jobId, report.end);
  return { data: endedJobData(jobId, report.end, report), text: [said] };
}

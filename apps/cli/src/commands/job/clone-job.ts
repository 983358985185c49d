import { studyHint } from "../../admin-kit/study-flag.js";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tellAway } from "../../terminal/tell-away.js";
import { parseJobId } from "./parse-job-id.js";

/** Submits a job once more, under one's own signature. */
export async function cloneJob(context: CommandContext, options: StudyOptions & { readonly jobId: string }): Promise<CommandOutput> {
  const of = parseJobId(options.jobId);
  const { jobId } = await withAdminInStudy(context, options, (session) =>
    session.cloneJob(of, { onAway: tellAway(context.terminal), signal: context.signal }),
  );
  return {
    data: { job_id: jobId, cloned_from: of },
    text: [jobId],
    hints: [`Watch it with: flare job monitor ${jobId}${studyHint(options)}`],
  };
}

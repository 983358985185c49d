import { withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { parseJobId } from "./parse-job-id.js";

/** Submits a job once more, under one's own signature. */
export async function cloneJob(
  context: CommandContext,
  options: { readonly jobId: string; readonly startupKit: string | undefined },
): Promise<CommandOutput> {
  const of = parseJobId(options.jobId);
  const { jobId } = await withAdmin(context, options.startupKit, (session) => session.cloneJob(of, { signal: context.signal }));
  return { data: { job_id: jobId, cloned_from: of }, text: [jobId], hints: [`Watch it with: flare job monitor ${jobId}`] };
}

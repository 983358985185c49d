import { resolve } from "node:path";
import { studyHint } from "../../admin-kit/study-flag.js";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tellAway } from "../../terminal/tell-away.js";
import { transferProgress } from "../../terminal/transfer-progress.js";

/** What `flare job submit` is given. */
export interface SubmitJobOptions extends StudyOptions {
  readonly folder: string;
  readonly submitToken: string | undefined;
}

/** Sends a job to the server and says its id. */
export async function submitJob(context: CommandContext, options: SubmitJobOptions): Promise<CommandOutput> {
  const folder = resolve(context.cwd, options.folder);
  return await withAdminInStudy(context, options, async (session) => {
    const { jobId } = await session.submitJob(folder, {
      submitToken: options.submitToken,
      onProgress: transferProgress(context.terminal, "Sending"),
      onAway: tellAway(context.terminal),
      signal: context.signal,
    });
    return { data: { job_id: jobId }, text: [jobId], hints: [`Next: flare job monitor ${jobId}${studyHint(options)}`] };
  });
}

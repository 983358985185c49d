import { FlareError } from "@flare-ts/contracts";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tellAway } from "../../terminal/tell-away.js";
import { endText, type JobEnd } from "./job-end.js";
import { parseJobId } from "./parse-job-id.js";
import { throughRestarts } from "./through-restarts.js";

export interface WaitForJobOptions extends StudyOptions {
  readonly jobId: string;
  /** `undefined`: as long as it takes. */
  readonly timeoutSeconds: number | undefined;
}

/**
 * Waits until a job is over, through restarts of the server.
 *
 * @throws FlareError `cli/job-not-completed`, `cli/job-not-over`, `internal/aborted` when it was told to stop waiting.
 */
export async function waitForJob(context: CommandContext, options: WaitForJobOptions): Promise<CommandOutput> {
  const { timeoutSeconds } = options;
  const jobId = parseJobId(options.jobId);
  const limit = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000);
  const signal = limit === undefined ? context.signal : AbortSignal.any([context.signal, limit]);
  const end = await endOf(jobId, { ...context, signal }, options).catch((reason: unknown) => {
    if (signal.aborted) return undefined;
    throw reason;
  });
  if (end !== undefined) return { data: { job_id: jobId, ...end }, text: [endText(jobId, end)] };
  if (context.signal.aborted) throw new FlareError("internal/aborted", `Stopped waiting for job ${jobId}; the job itself goes on.`);
  throw new FlareError("cli/job-not-over", `Job ${jobId} is not over after ${timeoutSeconds} s; it goes on.`, { facts: { jobId } });
}

async function endOf(jobId: string, context: CommandContext, options: StudyOptions): Promise<JobEnd | undefined> {
  return await withAdminInStudy(context, options, async (session) => {
    const { signal, terminal } = context;
    const watch = (after: number): AsyncIterable<JournalEntry> => session.watchJob(jobId, { signal, after });
    let end: JobEnd | undefined;
    for await (const { event } of throughRestarts(watch, { signal, onAway: tellAway(terminal) })) {
      if (event.type === "job-ended") end = { status: event.status, reason: event.reason };
    }
    return end;
  });
}

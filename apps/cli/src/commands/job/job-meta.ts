import type { JobSummary } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { durationText } from "../../terminal/quantities.js";
import { jobData } from "./list-jobs.js";
import { parseJobId } from "./parse-job-id.js";

/** Shows what the server knows of one job. */
export async function jobMeta(context: CommandContext, options: StudyOptions & { readonly jobId: string }): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const job = await withAdminInStudy(context, options, (session) => session.jobMeta(jobId, context.signal));
  const data = metaData(job);
  const { duration_ms: duration, sites, progress, ...texts } = data;
  const shown: Readonly<Record<string, string | null>> = {
    ...texts,
    duration: duration === null ? null : durationText(duration),
    sites: sites.join(", "),
    progress: Object.entries(progress)
      .map(([site, { phase }]) => `${site} ${phase}`)
      .join(", "),
  };
  const known = Object.entries(shown).flatMap(([key, text]) => (text === null || text === "" ? [] : [[key, plainText(text)] as const]));
  const width = Math.max(...known.map(([key]) => key.length));
  return { data, text: known.map(([key, text]) => `${key.padEnd(width)}  ${text}`) };
}

function metaData(job: JobSummary) {
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const progress = Object.entries(job.progress).map(
    ([site, { phase, done, total, reason }]) => [site, { phase, done, total, reason }] as const,
  );
  return {
    ...jobData(job),
    submitter_org: job.submitterOrg,
    submitter_role: job.submitterRole,
    start_time_iso: time(job.startTimeMs),
    end_time_iso: time(job.endTimeMs),
    sites: [...job.sites],
    progress: Object.fromEntries(progress),
  };
}

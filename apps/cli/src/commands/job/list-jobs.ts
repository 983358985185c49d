import { defaultStudy } from "@flare-ts/contracts";
import type { JobSummary } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";

/** What `flare job list` is given. */
export interface ListJobsOptions extends StudyOptions {
  readonly namePrefix: string | undefined;
  readonly idPrefix: string | undefined;
  readonly submitToken: string | undefined;
  readonly isReversed: boolean;
  readonly limit: number | undefined;
}

/** Lists the jobs that the admin may see. */
export async function listJobs(context: CommandContext, options: ListJobsOptions): Promise<CommandOutput> {
  const { namePrefix, idPrefix, submitToken, isReversed, limit } = options;
  const jobs = await withAdminInStudy(context, options, (session) =>
    session.listJobs(
      {
        isReversed,
        ...(namePrefix === undefined ? {} : { namePrefix }),
        ...(idPrefix === undefined ? {} : { idPrefix: idPrefix.toLowerCase() }),
        ...(submitToken === undefined ? {} : { submitToken }),
        ...(limit === undefined ? {} : { limit }),
      },
      context.signal,
    ),
  );
  return {
    data: jobs.map((job) => ({ ...jobData(job) })),
    text:
      jobs.length === 0
        ? ["No jobs."]
        : tableLines(
            [
              { title: "JOB ID" },
              { title: "NAME" },
              { title: "STATUS" },
              { title: "SUBMITTED (UTC)" },
              { title: "BY" },
              { title: "DURATION", align: "right" },
              { title: "REASON" },
            ],
            jobs.map((job) => [
              job.jobId,
              plainText(job.name),
              job.status,
              new Date(job.submitTimeMs).toISOString().slice(0, 19).replace("T", " "),
              job.submitterName,
              durationMs(job) === null ? "-" : durationText(durationMs(job) ?? 0),
              plainText(job.reason),
            ]),
          ),
  };
}

/** A job as it stands in the JSON envelope; the keys are FLARE's. */
export function jobData(job: JobSummary): {
  readonly job_id: string;
  readonly name: string;
  readonly study: string;
  readonly status: string;
  readonly submitter_name: string;
  readonly submit_time_iso: string;
  readonly duration_ms: number | null;
  readonly reason: string;
} {
  return {
    job_id: job.jobId,
    name: job.name,
    study: job.study ?? defaultStudy,
    status: job.status,
    submitter_name: job.submitterName,
    submit_time_iso: new Date(job.submitTimeMs).toISOString(),
    duration_ms: durationMs(job),
    reason: job.reason,
  };
}

/** Milliseconds from start to end, or until now while it runs; `null` before the start. */
function durationMs(job: JobSummary): number | null {
  return job.startTimeMs === null ? null : Math.max(0, (job.endTimeMs ?? Date.now()) - job.startTimeMs);
}

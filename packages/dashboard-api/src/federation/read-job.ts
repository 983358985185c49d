import type { JobSummary } from "@flare-ts/runtime/admin";
import type { Job } from "../contract/jobs.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { jobFromSummary } from "./federation-state.js";

/** A job as the server has it now. @throws FlareError `job/not-found`, `dashboard/federation-unreachable` */
export async function jobOf(parts: DashboardParts, jobId: string): Promise<Job> {
  return summaryToJob(parts, await parts.federation.link.admin().jobMeta(jobId));
}

/** A job as pages see it. */
export function summaryToJob({ federation }: DashboardParts, summary: JobSummary): Job {
  return jobFromSummary(summary, federation.submitters.of(summary.jobId));
}

import type { JobSummary, SiteProgress } from "../admin/job-summary.js";
import type { Admission } from "../budget/admission.js";
import { isFinished } from "../job/job-status.js";
import type { JobRecord } from "../store/server-store.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobTable } from "./job-table.js";

export interface JobSummariesComponents {
  readonly scheduler: Pick<JobScheduler, "waitingFor">;
  readonly jobs: Pick<JobTable, "progressOf" | "get">;
  /** Knows the transfers that wait for room. */
  readonly admission: Pick<Admission, "waiting">;
  readonly now: () => number;
}

/** Puts together what admins see of jobs. */
export class JobSummaries {
  readonly #parts: JobSummariesComponents;

  constructor(components: JobSummariesComponents) {
    this.#parts = components;
  }

  of(job: JobRecord): JobSummary {
    const { jobId, name, study, status, submitterName, submitterOrg, submitterRole, submitTimeMs, startTimeMs, endTimeMs, reason, apps } =
      job;
    return {
      jobId,
      name,
      study,
      status,
      submitterName,
      submitterOrg,
      submitterRole,
      submitTimeMs,
      startTimeMs: startTimeMs ?? null,
      endTimeMs: endTimeMs ?? null,
      reason: isFinished(status) ? reason : (this.#parts.scheduler.waitingFor(jobId) ?? ""),
      sites: Object.keys(apps).sort(),
      progress: this.#progressOf(jobId, apps),
    };
  }

  /** What each site last said; one whose transfer waits here cannot know it. */
  #progressOf(jobId: string, apps: JobRecord["apps"]): JobSummary["progress"] {
    const { jobs, admission, now } = this.#parts;
    const progress: Record<string, SiteProgress> = { ...jobs.progressOf(jobId) };
    if (jobs.get(jobId) === undefined) return progress;
    const nowMs = now();
    for (const { who, reason, sinceMs } of admission.waiting()) {
      const { done, total } = progress[who] ?? { done: 0, total: 0 };
      if (Object.hasOwn(apps, who)) progress[who] = { phase: "waiting", done, total, reason, stillMs: nowMs - sinceMs, atMs: nowMs };
    }
    return progress;
  }
}

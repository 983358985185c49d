import type { JobSummary } from "../admin/job-summary.js";
import { isFinished } from "../job/job-status.js";
import type { JobRecord } from "../store/server-store.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobTable } from "./job-table.js";

/** Puts together what admins see of jobs. */
export class JobSummaries {
  readonly #scheduler: Pick<JobScheduler, "waitingFor">;
  readonly #jobs: Pick<JobTable, "progressOf">;

  constructor(components: { readonly scheduler: Pick<JobScheduler, "waitingFor">; readonly jobs: Pick<JobTable, "progressOf"> }) {
    this.#scheduler = components.scheduler;
    this.#jobs = components.jobs;
  }

  of(job: JobRecord): JobSummary {
    const { jobId, name, status, submitterName, submitterOrg, submitterRole, submitTimeMs, startTimeMs, endTimeMs, reason, apps } = job;
    return {
      jobId,
      name,
      status,
      submitterName,
      submitterOrg,
      submitterRole,
      submitTimeMs,
      startTimeMs: startTimeMs ?? null,
      endTimeMs: endTimeMs ?? null,
      reason: isFinished(status) ? reason : (this.#scheduler.waitingFor(jobId) ?? ""),
      sites: Object.keys(apps).sort(),
      progress: this.#jobs.progressOf(jobId),
    };
  }
}

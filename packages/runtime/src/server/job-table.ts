import { create } from "@bufbuild/protobuf";
import { type DesiredState, DesiredStateSchema } from "@flare-ts/contracts/wire";
import type { TaskKey } from "../job/job-event.js";
import type { TaskRecord } from "../store/server-store.js";
import type { ServerJob } from "./server-job.js";
import { taskToWire } from "./task-message.js";
import type { TaskProgressReport } from "./task-progress-report.js";

/** The jobs that run on this server now. */
export class JobTable {
  readonly #running = new Map<string, ServerJob>();
  readonly #progress = new Map<string, Map<string, TaskProgressReport & { readonly round: number }>>();

  add(job: ServerJob): void {
    this.#running.set(job.jobId, job);
  }

  remove(jobId: string): void {
    this.#running.delete(jobId);
    this.#progress.delete(jobId);
  }

  get(jobId: string): ServerJob | undefined {
    return this.#running.get(jobId);
  }

  get size(): number {
    return this.#running.size;
  }

  all(): readonly ServerJob[] {
    return [...this.#running.values()];
  }

  /** Whether a site takes part in a running job. */
  isParticipant(jobId: string, site: string): boolean {
    return this.ofParticipant(jobId, site) !== undefined;
  }

  /** A running job, for a site that takes part in it. */
  ofParticipant(jobId: string, site: string): ServerJob | undefined {
    const job = this.#running.get(jobId);
    return job?.takesPart(site) === true ? job : undefined;
  }

  runningJobsOf(site: string): string[] {
    return this.all()
      .filter((job) => job.takesPart(site))
      .map((job) => job.jobId);
  }

  /** Everything that a site should be doing now, given its open tasks in the store. */
  desiredState(site: string, openTasks: readonly TaskRecord[]): DesiredState {
    const jobs = this.all().flatMap((job) => job.deploymentFor(site) ?? []);
    const tasks = openTasks.filter((task) => this.isParticipant(task.jobId, site));
    for (const task of tasks) this.#running.get(task.jobId)?.grantTask(site, task.model.hash);
    return create(DesiredStateSchema, { jobs, tasks: tasks.map((task) => taskToWire(task)) });
  }

  noteProgress(site: string, key: TaskKey, report: TaskProgressReport): void {
    if (!this.isParticipant(key.jobId, site)) return;
    this.#running.get(key.jobId)?.hearProgress(site, key.round, report);
    const sites = this.#progress.get(key.jobId) ?? new Map();
    sites.set(site, { ...report, round: key.round });
    this.#progress.set(key.jobId, sites);
  }

  /** The last word of each site on its task. */
  progressOf(jobId: string): Readonly<Record<string, TaskProgressReport>> {
    return Object.fromEntries(this.#progress.get(jobId) ?? []);
  }
}

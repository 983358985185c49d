import { join } from "node:path";
import { FlareError, Turns } from "@flare-ts/contracts";
import { type JobSites, selectJobSites } from "../job/deploy-map.js";
import { errorField } from "../logging/logger.js";
import type { ModelStore } from "../store/model-store.js";
import type { JobRecord } from "../store/server-store.js";
import { isFull, whenThereIsRoom } from "../store/when-there-is-room.js";
import type { DisabledSites } from "./disabled-sites.js";
import type { DefinitionReader } from "./job-definition.js";
import type { JobTable } from "./job-table.js";
import { ServerJob, type ServerJobComponents } from "./server-job.js";
import { waitingText } from "./waiting-text.js";

export interface JobSchedulerComponents extends ServerJobComponents {
  readonly jobs: JobTable;
  readonly readDefinition: DefinitionReader;
  readonly models: ModelStore;
  /** Lets the sites of a job go that may not take part in it. */
  readonly boundary: { readonly keep: (job: ServerJob) => Promise<void> };
  readonly disabled: Pick<DisabledSites, "get">;
}

export interface JobSchedulerInit {
  /** Jobs that run at the same time at most. */
  readonly maxJobs: number;
  /** What sets that, for messages. */
  readonly maxJobsSetBy: string;
  /** Folder of the server; each job has its own inside. */
  readonly workspace: string;
  readonly objectsFolder: string;
  /** A site's task in which nothing moves for so long is given up. */
  readonly stallMs: number;
}

/** After what may heal by itself, such as a full disk, a job is tried again after so long. */
const retryMs = 5_000;

/**
 * Starts jobs in the order in which they were submitted, as soon as the sites that they need are connected; ends those that
 * are to be aborted. One thing at a time, so that a job never starts while it is being aborted.
 */
export class JobScheduler {
  readonly #parts: JobSchedulerComponents;
  readonly #init: JobSchedulerInit;
  /** Why each waiting job waits. */
  readonly #waiting = new Map<string, WaitingJob>();
  #isStarted = false;
  #isStopped = false;
  readonly #turns = new Turns();
  #isPassDue = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(components: JobSchedulerComponents, init: JobSchedulerInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * Goes on with the jobs that ran when the server stopped, then looks for jobs to start. A disk that is full is waited for: sites that come
   * before their job is there would be told that it is over, and nobody would hold what it has made so far.
   *
   * @throws the reason of the signal
   */
  async start(signal?: AbortSignal): Promise<void> {
    const onFull = (error: unknown): void =>
      this.#parts.logger.error("a job that ran before waits for room on the disk", { error: errorField(error) });
    await this.#turns.take(() => whenThereIsRoom(() => this.#goOn(), { signal, onFull }));
    this.#isStarted = true;
    this.look();
  }

  /** Looks again which jobs can start; called whenever something changes. */
  look(): void {
    if (this.#isPassDue || this.#isStopped) return;
    this.#isPassDue = true;
    this.#turns
      .take(async () => {
        this.#isPassDue = false;
        await this.#goOn();
        await this.#startWhatCan();
      })
      .catch((error: unknown) => {
        this.#parts.logger.error("jobs could not be scheduled", { error: errorField(error) });
        this.#lookLater();
      });
  }

  /** Ends a job, whether it waits or runs. One that is over stays as it is. */
  async abort(jobId: string, reason: string): Promise<void> {
    await this.#turns.take(async () => {
      const { hub, jobs, now } = this.#parts;
      const running = jobs.get(jobId);
      if (running === undefined) {
        await hub.changeJob(
          jobId,
          { status: "FINISHED:ABORTED", reason, endTimeMs: now() },
          { type: "job-ended", status: "FINISHED:ABORTED", reason },
        );
      } else await running.end("FINISHED:ABORTED", reason);
      this.#waiting.delete(jobId);
    });
  }

  /** Jobs of a study that wait, in the order in which they began to, with the reason. */
  waitingJobs(study: string): readonly { readonly jobId: string; readonly reason: string }[] {
    return [...this.#waiting].flatMap(([jobId, job]) => (job.study === study ? [{ jobId, reason: job.reason }] : []));
  }

  /** Why an unfinished job does not run. */
  waitingFor(jobId: string): string | undefined {
    return this.#waiting.get(jobId)?.reason;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    await this.#turns.idle();
    await Promise.all(this.#parts.jobs.all().map((job) => job.suspend()));
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.look(), retryMs);
  }

  /** Runs the jobs that were begun and do not run now. */
  async #goOn(): Promise<void> {
    const { store, jobs, logger } = this.#parts;
    const begun = await store.jobs({ statuses: ["DISPATCHED", "RUNNING"] });
    // As they began, which is not as they were submitted: sites that were away have to give their GPUs in the same order as the others.
    for (const record of begun.toSorted((a, b) => (a.startTimeMs ?? 0) - (b.startTimeMs ?? 0))) {
      if (this.#isStopped) return;
      if (jobs.get(record.jobId) !== undefined) continue;
      logger.info("job goes on", { job: record.jobId, name: record.name });
      await this.#run(record, record.apps);
    }
  }

  async #startWhatCan(): Promise<void> {
    const { store, jobs } = this.#parts;
    for (const record of await store.jobs({ statuses: ["SUBMITTED"] })) {
      if (this.#isStopped) return;
      const { maxJobs, maxJobsSetBy } = this.#init;
      if (jobs.size >= maxJobs) this.#wait(record, `${jobs.size} of ${maxJobs} jobs run, as many as ${maxJobsSetBy} lets`);
      else await this.#startIfItCan(record);
    }
  }

  async #startIfItCan(record: JobRecord): Promise<void> {
    const { store, directory, readDefinition, studies, disabled, now } = this.#parts;
    const isOfStudy = (site: string): boolean => studies.studies.hasSite(record.study, site, directory.get(site)?.identity.org);
    let sites: JobSites;
    try {
      const { meta } = await readDefinition(record.signedJob);
      sites = selectJobSites(meta, directory.names().filter(isOfStudy));
    } catch (error) {
      await this.#cannotRun(record, FlareError.from(error));
      return;
    }
    if (!sites.canStart) {
      const isRemoved = (site: string): boolean => !studies.studies.hasSite(record.study, site);
      this.#wait(record, waitingText(sites, record.study, { isRemoved, isDisabled: (site) => disabled.get(site) !== undefined }));
      return;
    }
    const { apps } = sites;
    if (await store.updateJob(record.jobId, { status: "DISPATCHED", apps, startTimeMs: now() })) await this.#run(record, apps);
  }

  async #run(record: JobRecord, apps: Readonly<Record<string, string>>): Promise<void> {
    const { hub, jobs, readDefinition, boundary } = this.#parts;
    const { workspace, objectsFolder, stallMs } = this.#init;
    const { jobId } = record;
    try {
      const definition = await readDefinition(record.signedJob);
      if (record.status !== "RUNNING") {
        await hub.changeJob(jobId, { status: "RUNNING" }, { type: "job-started", sites: Object.keys(apps).sort() });
      }
      const job = new ServerJob(this.#parts, {
        record,
        definition,
        apps,
        workspace: join(workspace, jobId),
        objectsFolder,
        stallMs,
        onEnded: () => {
          jobs.remove(jobId);
          this.look();
        },
      });
      jobs.add(job);
      await job.start();
      await boundary.keep(job);
      this.#waiting.delete(jobId);
    } catch (error) {
      if (this.#isStarted || !isFull(error)) {
        await this.#cannotRun(record, FlareError.from(error));
        return;
      }
      await jobs.get(jobId)?.suspend();
      jobs.remove(jobId);
      throw error;
    }
  }

  #wait({ jobId, study }: JobRecord, reason: string): void {
    if (!this.#waiting.has(jobId)) this.#parts.logger.info("job waits", { job: jobId, reason });
    this.#waiting.set(jobId, { study, reason });
  }

  /** What may heal by itself leaves the job waiting; anything else ends it. */
  async #cannotRun({ jobId, study }: JobRecord, error: FlareError): Promise<void> {
    const { hub, jobs, logger, now } = this.#parts;
    logger.error("job could not be started", { job: jobId, error: errorField(error) });
    const job = jobs.get(jobId);
    if (error.row.isRetryable) {
      await job?.suspend();
      jobs.remove(jobId);
      this.#waiting.set(jobId, { study, reason: error.message });
      this.#lookLater();
      return;
    }
    const reason = error.message;
    if (job !== undefined) await job.end("FINISHED:FAILED_TO_RUN", reason);
    else {
      const ended = { type: "job-ended", status: "FINISHED:FAILED_TO_RUN", reason } as const;
      await hub.changeJob(jobId, { status: "FINISHED:FAILED_TO_RUN", reason, endTimeMs: now() }, ended);
    }
    this.#waiting.delete(jobId);
  }
}

interface WaitingJob {
  readonly study: string;
  /** Why it waits. */
  readonly reason: string;
}

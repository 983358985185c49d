import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { type JobSites, selectJobSites } from "../job/deploy-map.js";
import { errorField } from "../logging/logger.js";
import type { ModelStore } from "../store/model-store.js";
import type { JobRecord } from "../store/server-store.js";
import type { DefinitionReader } from "./job-definition.js";
import type { JobTable } from "./job-table.js";
import { ServerJob, type ServerJobComponents } from "./server-job.js";

export interface JobSchedulerComponents extends ServerJobComponents {
  readonly jobs: JobTable;
  readonly readDefinition: DefinitionReader;
  readonly models: ModelStore;
}

export interface JobSchedulerInit {
  /** Jobs that run at the same time at most. */
  readonly maxJobs: number;
  /** Folder of the server; each job has its own inside. */
  readonly workspace: string;
  readonly objectsFolder: string;
}

/** Starts jobs in the order in which they were submitted, as soon as the sites that they need are connected. */
export class JobScheduler {
  readonly #parts: JobSchedulerComponents;
  readonly #init: JobSchedulerInit;
  /** Why each waiting job waits. */
  readonly #waiting = new Map<string, string>();
  #isStopped = false;
  #pass: Promise<void> = Promise.resolve();
  #isPassDue = false;

  constructor(components: JobSchedulerComponents, init: JobSchedulerInit) {
    this.#parts = components;
    this.#init = init;
  }

  /** Goes on with the jobs that ran when the server stopped, then looks for jobs to start. */
  async start(): Promise<void> {
    const { store, logger } = this.#parts;
    for (const record of await store.jobs({ statuses: ["DISPATCHED", "RUNNING"] })) {
      logger.info("job goes on", { job: record.jobId, name: record.name });
      await this.#run(record, record.apps);
    }
    this.look();
  }

  /** Looks again which jobs can start; called whenever something changes. */
  look(): void {
    if (this.#isPassDue || this.#isStopped) return;
    this.#isPassDue = true;
    this.#pass = this.#pass.then(async () => {
      this.#isPassDue = false;
      await this.#startWhatCan();
    });
    this.#pass.catch((error: unknown) => this.#parts.logger.error("jobs could not be scheduled", { error: errorField(error) }));
  }

  /** Why a submitted job does not run yet. */
  waitingFor(jobId: string): string | undefined {
    return this.#waiting.get(jobId);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#pass.catch(() => undefined);
    await Promise.all(this.#parts.jobs.all().map((job) => job.suspend()));
  }

  async #startWhatCan(): Promise<void> {
    const { store, jobs, directory, readDefinition } = this.#parts;
    for (const record of await store.jobs({ statuses: ["SUBMITTED"] })) {
      if (this.#isStopped) return;
      if (jobs.size >= this.#init.maxJobs) {
        this.#waiting.set(record.jobId, `${jobs.size} of ${this.#init.maxJobs} jobs run`);
        continue;
      }
      try {
        const { meta } = await readDefinition(record.signedJob);
        const sites = selectJobSites(meta, directory.names());
        if (!sites.canStart) {
          this.#waiting.set(record.jobId, waitingText(sites));
          continue;
        }
        const { apps } = sites;
        this.#waiting.delete(record.jobId);
        await store.updateJob(record.jobId, { status: "DISPATCHED", apps, startTimeMs: this.#parts.now() });
        await this.#run(record, apps);
      } catch (error) {
        await this.#cannotRun(record, FlareError.from(error));
      }
    }
  }

  async #run(record: JobRecord, apps: Readonly<Record<string, string>>): Promise<void> {
    const { store, hub, jobs, readDefinition } = this.#parts;
    const { workspace, objectsFolder } = this.#init;
    try {
      const definition = await readDefinition(record.signedJob);
      const job = new ServerJob(this.#parts, {
        record,
        definition,
        apps,
        workspace: join(workspace, record.jobId),
        objectsFolder,
        onEnded: (jobId) => {
          jobs.remove(jobId);
          this.look();
        },
      });
      jobs.add(job);
      await job.start();
      if (record.status !== "RUNNING") {
        await store.updateJob(record.jobId, { status: "RUNNING" });
        await hub.append(record.jobId, { type: "job-started", sites: Object.keys(apps).sort() });
      }
    } catch (error) {
      await this.#cannotRun(record, FlareError.from(error));
    }
  }

  async #cannotRun(record: JobRecord, error: FlareError): Promise<void> {
    const { store, hub, jobs, logger, now } = this.#parts;
    logger.error("job could not be started", { job: record.jobId, error: errorField(error) });
    jobs.remove(record.jobId);
    if (await store.updateJob(record.jobId, { status: "FINISHED:FAILED_TO_RUN", reason: error.message, endTimeMs: now() })) {
      await hub.append(record.jobId, { type: "job-ended", status: "FINISHED:FAILED_TO_RUN", reason: error.message });
    }
  }
}

function waitingText({ missing, connected, needed }: Extract<JobSites, { canStart: false }>): string {
  if (missing.length > 0) return `waits for ${missing.join(", ")} to connect`;
  return `waits for sites: ${connected.length} of ${needed} are connected`;
}

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { jobIdSchema, type UpdateForm } from "@flare-ts/contracts";
import type { DeployJob, ServerMessage, Task } from "@flare-ts/contracts/wire";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { clearAttachFolder } from "../executor/attach-folder.js";
import { stateFolder } from "../executor/state-folder.js";
import { capPeerText, errorField, type Logger } from "../logging/logger.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { taskKeyFromWire } from "../transport/wire-values.js";
import type { ResultDelivery } from "./result-delivery.js";
import { secureHolder } from "./secure-updates.js";
import { SiteJob, type SiteJobComponents } from "./site-job.js";

export interface SiteAgentComponents extends SiteJobComponents {
  readonly store: SiteStore;
  readonly delivery: ResultDelivery;
  readonly retention: ObjectRetention;
  readonly logger: Logger;
}

export interface SiteAgentInit {
  readonly site: string;
  readonly trust: ProjectTrust;
  /** Folder of the site; each job has its own inside. */
  readonly workspace: string;
  readonly datasets: Readonly<Record<string, string>>;
  /** How updates leave the site, whatever a job says. */
  readonly updateForm?: "none" | UpdateForm | undefined;
  readonly modelsFolder: string;
  readonly stallMs: number;
  readonly attachFolder: string;
}

/** A trainer in the middle of a round loses it when its site stops; it is not waited for any longer than this. */
const siteStopGraceMs = 2_000;

/** Does at this site what the server's messages ask for. A message may come twice, and never needs an earlier one. */
export class SiteAgent {
  readonly #parts: SiteAgentComponents;
  readonly #init: SiteAgentInit;
  readonly #jobs = new Map<string, SiteJob>();
  readonly #obeying = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(components: SiteAgentComponents, init: SiteAgentInit) {
    this.#parts = components;
    this.#init = init;
  }

  /** Ids of the jobs that run here. */
  jobIds(): string[] {
    return [...this.#jobs.keys()].sort();
  }

  /** Takes a message of the server; what goes wrong with it is logged. */
  hear(message: ServerMessage): void {
    // Nothing is begun any more by a site that stops.
    if (this.#stopping.signal.aborted) return;
    const obeyed = this.#obey(message)
      .catch((error: unknown) => {
        this.#parts.logger.error("message from server failed", { kind: message.message.case ?? "none", error: errorField(error) });
      })
      .finally(() => this.#obeying.delete(obeyed));
    this.#obeying.add(obeyed);
  }

  /** Ends what runs here for submitters who are not trusted any more. */
  async checkSigners(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map((job) => job.checkSigner()));
  }

  /** Stops the job processes; what is durable stays for the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#jobs.values()].map((job) => job.stop("the site stops", siteStopGraceMs)));
    this.#jobs.clear();
    await Promise.all(this.#obeying);
  }

  async #obey({ message }: ServerMessage): Promise<void> {
    switch (message.case) {
      case "jobOutputTaken":
        this.#parts.output.taken(message.value);
        return;
      case "desired": {
        const { jobs, tasks } = message.value;
        this.#parts.output.attached();
        const wanted = new Set(jobs.map((job) => job.jobId));
        const over = [...this.#jobs.keys()].filter((jobId) => !wanted.has(jobId));
        // At once, as messages that follow may be about these jobs; ending others takes its time.
        for (const deployment of jobs) this.#deploy(deployment);
        await Promise.all([
          ...over.map((jobId) => this.#end(jobId, "the server does not run the job any more")),
          ...tasks.map((task) => this.#takeTask(task)),
        ]);
        await this.#removeLeftovers();
        return;
      }
      case "deploy":
        this.#deploy(message.value);
        return;
      case "task":
        await this.#takeTask(message.value);
        return;
      case "closeTask": {
        const key = taskKeyFromWire(message.value);
        await this.#jobs.get(key.jobId)?.closeTask(key);
        return;
      }
      case "endJob":
        await this.#end(message.value.jobId, `${message.value.status}: ${message.value.reason}`);
        return;
      case "trustList":
      case "certificateReady":
      case "updateAccepted":
      case "heartbeat":
      case "command":
      case undefined:
        return;
    }
  }

  #deploy(deployment: DeployJob): void {
    // The id becomes the name of folders here: the server's word is not enough for that.
    if (!jobIdSchema.safeParse(deployment.jobId).success) {
      this.#parts.logger.error("server named a job by something that is not a job id", { job: capPeerText(deployment.jobId) });
      return;
    }
    const known = this.#jobs.get(deployment.jobId);
    if (known !== undefined) {
      known.restate();
      return;
    }
    const { site, trust, workspace, datasets, updateForm, modelsFolder, stallMs, attachFolder } = this.#init;
    const job = new SiteJob(this.#parts, {
      deployment,
      site,
      trust,
      workspace: join(workspace, deployment.jobId),
      datasets,
      updateForm,
      modelsFolder: join(modelsFolder, deployment.jobId),
      stallMs,
      attachFolder,
    });
    this.#jobs.set(deployment.jobId, job);
    job.start();
  }

  async #takeTask(task: Task): Promise<void> {
    await this.#jobs.get(task.key?.jobId ?? "")?.takeTask(task);
  }

  async #end(jobId: string, reason: string): Promise<void> {
    const { delivery, logger, retention } = this.#parts;
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#jobs.delete(jobId);
    logger.info("job ended", { job: jobId, reason: capPeerText(reason) });
    await Promise.all([job.stop(reason), delivery.drop(jobId)]);
    await rm(stateFolder(join(this.#init.workspace, jobId)), { recursive: true, force: true });
    await this.#noteEnd(jobId);
    await clearAttachFolder(this.#init.attachFolder);
    await retention.release(`job:${jobId}`);
    await retention.release(secureHolder(jobId));
    await this.#removeLeftovers();
  }

  /** Writes down that a job is over, which a full disk may put off; a site that stops tries it once more. */
  async #noteEnd(jobId: string): Promise<void> {
    const { store, logger } = this.#parts;
    const { signal } = this.#stopping;
    const onFull = (error: unknown): void =>
      logger.error("the end of a job waits for room on the disk", { job: jobId, error: errorField(error) });
    try {
      await whenThereIsRoom(() => store.endJob(jobId), { signal, onFull });
    } catch (error) {
      if (!signal.aborted) throw error;
      await store.endJob(jobId);
    }
  }

  /** Objects that a crash has left; while a job runs, one of them may be what it fetches next. */
  async #removeLeftovers(): Promise<void> {
    if (this.#jobs.size === 0) await this.#parts.retention.sweep();
  }
}

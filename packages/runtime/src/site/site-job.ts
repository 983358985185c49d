import { link as linkFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { FlareError, type SerializedFlareError } from "@flare-ts/contracts";
import { type DeployJob, JobLeftSchema, type Task, TaskFailedSchema } from "@flare-ts/contracts/wire";
import type { TaskKey } from "../job/job-event.js";
import type { SiteJobCalls, SiteTask } from "../job-process/job-channel.js";
import type { JobLauncher } from "../job-process/job-launcher.js";
import { JobSupervisor } from "../job-process/job-supervisor.js";
import type { CallHandlers } from "../job-process/rpc-peer.js";
import type { SiteJobSide, SiteParentSide } from "../job-process/rpc-sides.js";
import { errorField, type Logger } from "../logging/logger.js";
import type { ModelStore, StoredObject } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import { objectFromWire, taskKeyFromWire, taskKeyText, taskKeyToWire } from "../transport/wire-values.js";
import type { AdmittedJob, JobAdmission } from "./job-admission.js";
import type { OutputSender } from "./output-sender.js";
import { ownFile } from "./own-file.js";
import type { ResultDelivery } from "./result-delivery.js";
import type { ServerLink } from "./server-link.js";

export interface SiteJobComponents {
  readonly link: ServerLink;
  readonly transfer: TransferClient;
  readonly models: ModelStore;
  readonly store: SiteStore;
  readonly retention: ObjectRetention;
  readonly delivery: ResultDelivery;
  readonly admission: JobAdmission;
  readonly launcher: JobLauncher;
  readonly output: OutputSender;
  readonly logger: Logger;
}

interface OpenTask {
  readonly key: TaskKey;
  /** Nobody wants the answer any more. */
  readonly closed: AbortController;
  /** Set while the job process has to work on it. */
  ready?: SiteTask;
  failure?: SerializedFlareError;
}

export interface SiteJobInit {
  readonly deployment: DeployJob;
  readonly site: string;
  /** Folder of the job: `<workspace>/<job id>`. */
  readonly workspace: string;
  readonly datasets: Readonly<Record<string, string>>;
  /** Folder for the models that this job's processes get; they can read it, not write. */
  readonly modelsFolder: string;
}

/** A job that cannot be started yet is tried again after so long. */
const startRetryMs = 5_000;

/** One job at this site: admits it, keeps its job process alive, brings tasks in and results out. */
export class SiteJob {
  readonly jobId: string;
  readonly #parts: SiteJobComponents;
  readonly #init: SiteJobInit;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  /** Open tasks of this job; a task that has its model waits here for the job process to be up. */
  readonly #tasks = new Map<string, OpenTask>();
  #left: FlareError | undefined;
  #admitted: AdmittedJob | undefined;
  #supervisor: JobSupervisor<SiteParentSide, SiteJobSide> | undefined;
  #started: Promise<void> = Promise.resolve();

  constructor(components: SiteJobComponents, init: SiteJobInit) {
    this.#parts = components;
    this.#init = init;
    this.jobId = init.deployment.jobId;
    this.#logger = components.logger.child({ job: this.jobId });
  }

  /** Admits and starts the job; a job that cannot run here is reported to the server as left. */
  start(): void {
    this.#started = this.#startInTheEnd();
  }

  /** Takes a task in; one that is known is not taken twice. */
  async takeTask(task: Task): Promise<void> {
    const { store, delivery, transfer, link, retention } = this.#parts;
    const key = taskKeyFromWire(task.key);
    const text = taskKeyText(key);
    const known = this.#tasks.get(text);
    if (known !== undefined) {
      // The server asks again after a reconnection: what it was told meanwhile may be lost.
      if (known.failure !== undefined) this.#tellFailure(key, known.failure);
      return;
    }
    const entry: OpenTask = { key, closed: new AbortController() };
    const signal = AbortSignal.any([this.#stop.signal, entry.closed.signal]);
    this.#tasks.set(text, entry);
    try {
      const result = await store.result(key);
      if (result !== undefined) {
        this.#tasks.delete(text);
        delivery.deliver(result);
        return;
      }
      const model = objectFromWire(task.model);
      await retention.hold(`task:${text}`, [model.hash]);
      const held = await transfer.download(() => link.connection(signal), model, undefined, signal);
      if (signal.aborted) return;
      entry.ready = { key, modelPath: await this.#lendModel(held), totalRounds: task.totalRounds, meta: readMeta(task.metaJson) };
      this.#supervisor?.notify("task", entry.ready);
    } catch (reason) {
      if (!signal.aborted) await this.#failTask(key, FlareError.from(reason).toJSON());
    }
  }

  /** Stops the job and leaves it when the project does not trust its submitter any more. */
  async checkSigner(): Promise<void> {
    try {
      this.#admitted?.checkSigner();
    } catch (reason) {
      const error = FlareError.from(reason);
      this.#leave(error);
      await this.stop(error.message);
    }
  }

  /** The server wants no answer to a task any more. */
  async closeTask(key: TaskKey): Promise<void> {
    if (!this.#tasks.has(taskKeyText(key))) return;
    this.#supervisor?.notify("cancelTask", key);
    await this.#forget(key);
  }

  /** Stops the job process and forgets the tasks; what is durable stays for the next start of the site. */
  async stop(reason: string, graceMs?: number): Promise<void> {
    this.#stop.abort();
    await this.#started;
    await this.#supervisor?.stop(() => this.#supervisor?.notify("stop", { reason }), graceMs);
    this.#parts.output.end(this.jobId);
    for (const text of this.#tasks.keys()) await this.#parts.retention.release(`task:${text}`);
    this.#tasks.clear();
    await rm(this.#init.modelsFolder, { recursive: true, force: true });
  }

  /** A task is answered, or nobody wants its answer: its model need not be kept. */
  async #forget(key: TaskKey): Promise<void> {
    const text = taskKeyText(key);
    const task = this.#tasks.get(text);
    const lent = task?.ready?.modelPath;
    this.#tasks.delete(text);
    task?.closed.abort();
    const isLentToOther = [...this.#tasks.values()].some(({ ready }) => ready?.modelPath === lent);
    if (lent !== undefined && !isLentToOther) await rm(lent, { force: true });
    await this.#parts.retention.release(`task:${text}`);
  }

  /** Puts a model where the trainers of this job can read it, and those of other jobs cannot. */
  async #lendModel({ hash, path }: StoredObject): Promise<string> {
    const lent = join(this.#init.modelsFolder, hash);
    await mkdir(this.#init.modelsFolder, { recursive: true, mode: 0o700 });
    await rm(lent, { force: true });
    await linkFile(path, lent);
    return lent;
  }

  /** What may heal by itself, such as a full disk, is waited for; anything else makes the site leave the job. */
  async #startInTheEnd(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#start();
        return;
      } catch (reason) {
        if (signal.aborted) return;
        const error = FlareError.from(reason);
        if (!error.row.isRetryable) {
          this.#leave(error);
          return;
        }
        this.#logger.error("job cannot be started yet", { error: errorField(error) });
        await sleep(startRetryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #start(): Promise<void> {
    const { admission, launcher } = this.#parts;
    const { deployment, workspace } = this.#init;
    const admitted = await admission.admit(deployment, workspace, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    // A trust list may have come while the job's files did.
    admitted.checkSigner();
    this.#admitted = admitted;
    const { folder, jobName, appFolder } = admitted;
    this.#logger.info("job admitted", { name: jobName, app: deployment.app });
    this.#supervisor = new JobSupervisor<SiteParentSide, SiteJobSide>(
      { launcher, logger: this.#logger },
      {
        kind: "site",
        jobId: this.jobId,
        workspace: folder,
        readable: [this.#init.modelsFolder, ...Object.values(this.#init.datasets)],
        handlers: this.#calls({ jobName, folder, appFolder }),
        onRestart: () => undefined,
        onGivenUp: (error) => this.#leave(error),
      },
    );
    this.#supervisor.start();
  }

  #calls(place: { readonly jobName: string; readonly folder: string; readonly appFolder: string }): CallHandlers<SiteJobCalls> {
    const { site, datasets, modelsFolder } = this.#init;
    return {
      begin: () => {
        // The reply goes out first; the open tasks follow it on the same channel.
        queueMicrotask(() => this.#deliverReadyTasks());
        return Promise.resolve({
          jobId: this.jobId,
          jobName: place.jobName,
          site,
          workspace: place.folder,
          appFolder: place.appFolder,
          datasets,
          modelsFolder,
          streamsLogs: this.#parts.output.allowsLogs,
        });
      },
      result: async ({ key, path, ...rest }) => {
        const { models, store, delivery, retention } = this.#parts;
        const text = taskKeyText(key);
        if (!this.#tasks.has(text)) return {};
        const { hash, size } = await models.importFile(await ownFile(path, place.folder), { move: true });
        // Held before anybody can drop the same bytes for another reason.
        await retention.hold(`task:${text}`, [hash]);
        delivery.deliver(await store.addResult({ ...key, ...rest, update: { hash, size } }));
        await this.#forget(key);
        return {};
      },
      taskFailed: async ({ key, error }) => {
        await this.#failTask(key, error);
        return {};
      },
      log: ({ key, value, round, step }) => {
        this.#logger.info("trainer metric", { key, value, round, step });
        this.#parts.output.metric(this.jobId, { key, value, round, step });
        return Promise.resolve({});
      },
      lines: async ({ source, texts }) => {
        await this.#parts.output.lines(this.jobId, source, texts);
        return {};
      },
    };
  }

  #deliverReadyTasks(): void {
    for (const { ready } of this.#tasks.values()) if (ready !== undefined) this.#supervisor?.notify("task", ready);
  }

  /** The failure is kept until the task is closed, as the server may ask again; the model is not. */
  async #failTask(key: TaskKey, error: SerializedFlareError): Promise<void> {
    this.#logger.error("task failed", { round: key.round, error: { ...error } as never });
    const text = taskKeyText(key);
    const isOpen = this.#tasks.has(text);
    this.#tellFailure(key, error);
    await this.#forget(key);
    if (isOpen) this.#tasks.set(text, { key, failure: error, closed: new AbortController() });
  }

  #tellFailure(key: TaskKey, error: SerializedFlareError): void {
    this.#parts.link.tell({
      case: "taskFailed",
      value: create(TaskFailedSchema, { key: taskKeyToWire(key), errorJson: JSON.stringify(withoutOutput(error)) }),
    });
  }

  /** Says again what the server may not have heard. */
  restate(): void {
    if (this.#left !== undefined) this.#leave(this.#left);
  }

  #leave(error: FlareError): void {
    this.#left = error;
    this.#logger.error("job cannot run here", { error: errorField(error) });
    this.#parts.link.tell({
      case: "jobLeft",
      value: create(JobLeftSchema, { jobId: this.jobId, errorJson: JSON.stringify(withoutOutput(error.toJSON())) }),
    });
  }
}

function readMeta(json: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(json === "" ? "{}" : json) as Record<string, unknown>;
  } catch (cause) {
    throw new FlareError("runtime/bad-message", "The properties of a task are not JSON.", { cause });
  }
}

/** What a trainer printed may hold patients' data: it stays in the site's log, and the server is told that it is there. */
function withoutOutput(error: SerializedFlareError): SerializedFlareError {
  if (error.facts?.["output"] === undefined) return error;
  const { output: _output, ...facts } = error.facts;
  return { ...error, facts: { ...facts, output: "in the site's log" } };
}

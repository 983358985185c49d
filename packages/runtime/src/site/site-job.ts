import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { byteSizeText, FlareError, type SecureAggregation, type SerializedFlareError, type UpdateForm } from "@flare-ts/contracts";
import { type DeployJob, JobLeftSchema, type Task, TaskFailedSchema } from "@flare-ts/contracts/wire";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import type { DiskBudget } from "../budget/disk-budget.js";
import { endTrainersBelow } from "../executor/trainer-leftovers.js";
import type { TaskKey } from "../job/job-event.js";
import type { SiteJobCalls, SiteTask, TrainerResult } from "../job-process/job-channel.js";
import type { JobLauncher } from "../job-process/job-launcher.js";
import { JobSupervisor } from "../job-process/job-supervisor.js";
import type { CallHandlers } from "../job-process/rpc-peer.js";
import type { SiteJobSide, SiteParentSide } from "../job-process/rpc-sides.js";
import { errorField, type Logger } from "../logging/logger.js";
import { stepOf } from "../secure-aggregation/step-tasks.js";
import { type SecureTask, splitTaskMeta } from "../secure-aggregation/task-meta.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import { objectFromWire, taskKeyFromWire, taskKeyText, taskKeyToWire } from "../transport/wire-values.js";
import { answersToJobProcess, type TasksOfProcess } from "./answers-to-job-process.js";
import type { AdmittedJob, JobAdmission } from "./job-admission.js";
import type { JobPlace, JobPlaces } from "./job-places.js";
import type { OutputSender } from "./output-sender.js";
import type { PrivacyGate } from "./privacy-gate.js";
import type { JobResources } from "./resource-pool.js";
import type { ResultDelivery } from "./result-delivery.js";
import { ResultIntake } from "./result-intake.js";
import { type SecureTaskInit, SecureTasks } from "./secure-tasks.js";
import type { SecureUpdatesComponents } from "./secure-updates.js";
import type { ServerLink } from "./server-link.js";
import type { SiteSecrets } from "./site-secrets.js";
import { TaskModels } from "./task-models.js";
import type { TaskReporter } from "./task-reporter.js";
import { withoutOutput } from "./without-output.js";

export interface SiteJobComponents {
  readonly link: ServerLink;
  readonly transfer: TransferClient;
  readonly models: ModelStore;
  readonly store: SiteStore;
  readonly retention: ObjectRetention;
  readonly delivery: ResultDelivery;
  readonly admission: JobAdmission;
  readonly privacy: Pick<PrivacyGate, "release" | "checkUnfiltered" | "metricsThatLeave">;
  readonly launcher: JobLauncher;
  readonly reporter: TaskReporter;
  readonly secrets: SiteSecrets;
  readonly output: OutputSender;
  readonly logger: Logger;
  readonly places: JobPlaces;
  /** A job process has begun: there is nothing to do here until its trainers are started. */
  readonly onJobBegun?: (() => void) | undefined;
  /** Room on the disk is kept for the answer to a task. */
  readonly disk?: DiskBudget | undefined;
  /** The site's certificate and key, with which it signs whose updates are added. */
  readonly identity: SecureUpdatesComponents["identity"];
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

interface OpenTask {
  readonly key: TaskKey;
  /** Nobody wants the answer any more. */
  readonly closed: AbortController;
  readonly model: ObjectRef;
  /** What it says of masks. */
  secure?: SecureTask | undefined;
  /** Set while the job process has to work on it. */
  ready?: SiteTask;
  failure?: SerializedFlareError;
}

export interface SiteJobInit {
  readonly deployment: DeployJob;
  readonly site: string;
  readonly trust: ProjectTrust;
  /** Folder of the job: `<workspace>/<job id>`. */
  readonly workspace: string;
  readonly datasets: Readonly<Record<string, string>>;
  /** How updates leave the site, whatever a job says. */
  readonly updateForm?: "none" | UpdateForm | undefined;
  /** Folder for the models that this job's processes get; they can read it, not write. */
  readonly modelsFolder: string;
  /** What makes no progress for so long is given up. */
  readonly stallMs: number;
  /** Where trainers that are started by hand find their job. */
  readonly attachFolder: string;
}

/** An error that is made anew for each task, as `abort` does by itself, costs as much as reading the task. */
const answered = new FlareError("internal/aborted", "The task is answered, or nobody wants its answer.");

/** A job that cannot be started yet is tried again after so long. */
const startRetryMs = 5_000;

/** One job at this site: admits it, keeps its job process alive, brings tasks in and results out. */
export class SiteJob {
  readonly jobId: string;
  readonly #parts: SiteJobComponents;
  readonly #init: SiteJobInit;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #models: TaskModels;
  /** Open tasks of this job; a task that has its model waits here for the job process to be up. */
  readonly #tasks = new Map<string, OpenTask>();
  #left: FlareError | undefined;
  #place: JobPlace | undefined;
  /** Why the job waits here. */
  #waitReason: string | undefined;
  #admitted: AdmittedJob | undefined;
  /** Masks the updates of a job that asks for that. */
  #masking: SecureTasks | undefined;
  #supervisor: JobSupervisor<SiteParentSide, SiteJobSide> | undefined;
  #started: Promise<void> = Promise.resolve();

  constructor(components: SiteJobComponents, init: SiteJobInit) {
    this.#parts = components;
    this.#init = init;
    this.jobId = init.deployment.jobId;
    this.#logger = components.logger.child({ job: this.jobId });
    this.#models = new TaskModels(components, { jobId: this.jobId, folder: init.modelsFolder });
  }

  /** Admits and starts the job; a job that cannot run here is reported to the server as left. */
  start(): void {
    this.#started = this.#startInTheEnd();
  }

  /** Takes a task in; one that is known is not taken twice. */
  async takeTask(task: Task): Promise<void> {
    const { store, delivery, reporter } = this.#parts;
    const key = taskKeyFromWire(task.key);
    const text = taskKeyText(key);
    const known = this.#tasks.get(text);
    if (known !== undefined) {
      // The server asks again after a reconnection: what it was told meanwhile may be lost.
      if (known.failure !== undefined) this.#tellFailure(key, known.failure);
      return;
    }
    const model = objectFromWire(task.model);
    const entry: OpenTask = { key, model, closed: new AbortController() };
    const signal = AbortSignal.any([this.#stop.signal, entry.closed.signal]);
    this.#tasks.set(text, entry);
    try {
      const result = await store.result(key);
      if (result !== undefined) {
        this.#tasks.delete(text);
        delivery.deliver(result);
        return;
      }
      const { secure, meta } = splitTaskMeta(readMeta(task.metaJson));
      entry.secure = secure;
      if (secure !== undefined && (await this.#takeSecureTask({ key, secure, model, signal }, task.modelBytes))) return;
      const onWait = (reason: string): void => this.#tellWaiting(key, reason);
      const held = await this.#models.fetch(key, model, { inline: task.modelBytes, signal, onWait });
      if (signal.aborted) return;
      const modelPath = await this.#whenThereIsRoom(async () => this.#models.lend(model, held), signal);
      reporter.note(key, { phase: "waiting", done: 0, total: 0, reason: this.#waitReason ?? "waits for the job process" });
      entry.ready = { key, modelPath, totalRounds: task.totalRounds, meta };
      this.#supervisor?.notify("task", entry.ready);
    } catch (reason) {
      if (!signal.aborted) await this.#failTask(key, FlareError.from(reason).toJSON());
    }
  }

  /** Does what a job's process has no part in; `true` when the task is answered. */
  async #takeSecureTask(init: SecureTaskInit, inline: Uint8Array | undefined): Promise<boolean> {
    const { key, signal } = init;
    this.#tellWaiting(key, this.#waitReason ?? "waits for the job to be admitted");
    await this.#started;
    if (signal.aborted || this.#admitted === undefined) return true;
    const masking = this.#masking;
    if (masking === undefined) {
      const { site } = this.#init;
      const message = `The server asks ${site} for masks, and the job as it was signed does not.`;
      throw new FlareError("secure/refused", message, { facts: { site, job: this.jobId } });
    }
    const isStep = stepOf(key.task) !== undefined;
    if (isStep) this.#tellWaiting(key, "answers a step of secure aggregation");
    if (isStep) await masking.answer(init, inline);
    else if (!(await masking.resume(init))) return false;
    await this.#forget(key);
    return true;
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
    this.#parts.reporter.forget(key);
    await this.#forget(key);
  }

  /** Stops the job process and forgets the tasks; what is durable stays for the next start of the site. */
  async stop(reason: string, graceMs?: number): Promise<void> {
    this.#stop.abort();
    await this.#started;
    await this.#supervisor?.stop(() => this.#supervisor?.notify("stop", { reason }), graceMs);
    // The job process ends the groups of its trainers; what has left them, or was left by a job process that was killed, ends here.
    if (this.#supervisor !== undefined) await endTrainersBelow(this.#init.workspace);
    this.#place?.leave();
    this.#parts.output.end(this.jobId);
    for (const { key } of this.#tasks.values()) {
      await this.#models.release(key);
      this.#parts.reporter.forget(key);
    }
    this.#tasks.clear();
    await this.#models.end();
  }

  /** A task is answered, or nobody wants its answer: its model need not be kept. */
  async #forget(key: TaskKey): Promise<void> {
    const text = taskKeyText(key);
    const task = this.#tasks.get(text);
    const lent = task?.ready?.modelPath;
    this.#tasks.delete(text);
    task?.closed.abort(answered);
    const isLentToOther = [...this.#tasks.values()].some(({ ready }) => ready?.modelPath === lent);
    if (lent !== undefined && !isLentToOther) this.#models.takeBack(lent);
    await this.#models.release(key);
  }

  /** Writes what a round depends on; a full disk is the operator's to clear, and the job waits for it. */
  #whenThereIsRoom<Result>(action: () => Promise<Result>, signal = this.#stop.signal): Promise<Result> {
    const onFull = (error: unknown): void => this.#logger.error("the job waits for room on the disk", { error: errorField(error) });
    return whenThereIsRoom(action, { signal, onFull });
  }

  /** What may heal by itself, such as a full disk, is waited for; anything else makes the site leave the job. */
  async #startInTheEnd(): Promise<void> {
    const { signal } = this.#stop;
    try {
      this.#place = await this.#parts.places.enter(this.jobId, signal, (reason) => this.#wait(reason));
    } catch {
      return;
    }
    this.#waitReason = undefined;
    while (!signal.aborted) {
      try {
        await this.#start();
        return;
      } catch (reason) {
        if (signal.aborted) return;
        const error = FlareError.from(reason);
        if (!error.row.isRetryable) {
          // It may go on at other sites for days, in which another job has its room.
          this.#place?.leave();
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
    const { folder, jobName, secure } = admitted;
    if (secure !== undefined) this.#masking = this.#createMasking(secure);
    const resources = await this.#place?.take(admitted.resources, this.#stop.signal, (reason) => this.#wait(reason));
    this.#waitReason = undefined;
    this.#logger.info("job admitted", { name: jobName, app: deployment.app });
    if (resources !== undefined) this.#logResources(resources);
    await this.#models.makeFolder();
    this.#supervisor = new JobSupervisor<SiteParentSide, SiteJobSide>(
      { launcher, logger: this.#logger },
      {
        kind: "site",
        jobId: this.jobId,
        workspace: folder,
        readable: [this.#init.modelsFolder, ...Object.values(this.#init.datasets)],
        handlers: this.#calls(admitted, resources),
        onRestart: () => undefined,
        onGivenUp: (error) => void this.#giveUp(error),
      },
    );
    this.#supervisor.start();
  }

  #logResources({ gpus, cpus, memoryBytes }: JobResources): void {
    if (cpus === 0 && memoryBytes === 0) return;
    const memory = memoryBytes === 0 ? {} : { memory: byteSizeText(memoryBytes) };
    this.#logger.info("CPUs and memory are kept for the job, and nothing holds its trainers to them", {
      gpus: gpus.length,
      cpus,
      ...memory,
    });
  }

  #createMasking(secure: SecureAggregation): SecureTasks {
    const { site, trust } = this.#init;
    return new SecureTasks(
      {
        ...this.#parts,
        logger: this.#logger,
        taskModels: this.#models,
        whenThereIsRoom: (action, signal) => this.#whenThereIsRoom(action, signal),
      },
      { jobId: this.jobId, site, trust, secure, minSites: secure.minSites },
    );
  }

  #calls(admitted: AdmittedJob, resources: JobResources | undefined): CallHandlers<SiteJobCalls> {
    const { folder, scope } = admitted;
    const intake = new ResultIntake(
      { ...this.#parts, taskModels: this.#models, whenThereIsRoom: (action) => this.#whenThereIsRoom(action) },
      { folder, scope, masking: this.#masking },
    );
    const tasks: TasksOfProcess = {
      isOpen: (key) => this.#tasks.get(taskKeyText(key))?.ready !== undefined,
      deliver: () => this.#deliverReadyTasks(),
      take: (key, result, form) => this.#takeResult(key, result, intake, form),
      fail: (key, error) => this.#failTask(key, error),
    };
    return answersToJobProcess({ ...this.#parts, logger: this.#logger, tasks }, { ...this.#init, jobId: this.jobId, admitted, resources });
  }

  async #takeResult(key: TaskKey, result: TrainerResult, intake: ResultIntake, form: UpdateForm | undefined): Promise<void> {
    const task = this.#tasks.get(taskKeyText(key));
    if (task?.ready === undefined) return;
    this.#tellWaiting(key, "the site takes its update in");
    const { model, closed, ready, secure } = task;
    const signal = AbortSignal.any([this.#stop.signal, closed.signal]);
    try {
      await intake.take(result, { key, model, modelPath: ready.modelPath, form, secure, signal });
    } catch (reason) {
      if (closed.signal.aborted) return;
      const error = FlareError.from(reason);
      // Nothing of this job can leave any more: it would train for nothing.
      if (error.code === "privacy/budget-spent") {
        this.#leave(error);
        void this.stop(error.message);
      }
      throw error;
    }
    await this.#forget(key);
  }

  #wait(reason: string): void {
    this.#waitReason = reason;
    for (const { key } of this.#tasks.values()) this.#tellWaiting(key, reason);
  }

  #tellWaiting(key: TaskKey, reason: string): void {
    this.#parts.reporter.note(key, { phase: "waiting", done: 0, total: 0, reason });
  }

  #deliverReadyTasks(): void {
    for (const { ready } of this.#tasks.values()) if (ready !== undefined) this.#supervisor?.notify("task", ready);
  }

  /** The failure is kept until the task is closed, as the server may ask again; the model is not. */
  async #failTask(key: TaskKey, error: SerializedFlareError): Promise<void> {
    this.#logger.error("task failed", { round: key.round, error: { ...error } as never });
    const text = taskKeyText(key);
    const open = this.#tasks.get(text);
    this.#parts.reporter.forget(key);
    this.#tellFailure(key, error);
    await this.#forget(key);
    if (open !== undefined) this.#tasks.set(text, { key, model: open.model, failure: error, closed: new AbortController() });
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

  /** What it had is others' when its trainers are gone. */
  async #giveUp(error: FlareError): Promise<void> {
    this.#leave(error);
    await endTrainersBelow(this.#init.workspace);
    this.#place?.leave();
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

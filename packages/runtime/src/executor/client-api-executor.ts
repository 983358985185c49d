import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { ClientApiExecutorSettings } from "@flare-ts/contracts/job";
import { writeBootstrap } from "../client/bootstrap.js";
import { type LogMessage, type Meta, protocolVersion, type TaskMessage } from "../client/protocol.js";
import { ownRoundOf } from "../job/round-numbers.js";
import type { SiteJobDescription, SiteTask, TrainerResult } from "../job-process/job-channel.js";
import type { StallClock } from "../progress/stall-clock.js";
import { waitForRoom } from "../store/when-there-is-room.js";
import { attachCommand, attachIdOf } from "./attach-command.js";
import { endLeftovers } from "./end-leftovers.js";
import type { Executor, TaskContext } from "./executor.js";
import { ResultFolder } from "./result-folder.js";
import { stateFolder } from "./state-folder.js";
import { stripTypes } from "./strip-types.js";
import { secretNames, trainerCommand } from "./trainer-command.js";
import { spawnTrainer, type TrainerProcess } from "./trainer-process.js";

export interface ClientApiExecutorInit {
  readonly clock: StallClock;
  readonly settings: ClientApiExecutorSettings;
  readonly job: SiteJobDescription;
  /** Name of the executor's folder inside the workspace; one per executor of the job. */
  readonly folderName: string;
  readonly onLog: (message: LogMessage) => void;
  /** The trainer has died and is started again for the same task. */
  readonly onRestart: (error: FlareError) => void;
  /** Values of secrets of the site, by name. @throws FlareError `client-api/secret-missing` */
  readonly readSecrets: (names: readonly string[]) => Promise<Readonly<Record<string, string>>>;
}

/** Failures after which the same task may succeed with a new trainer. */
const restartable: ReadonlySet<string> = new Set([
  "client-api/trainer-died",
  "client-api/trainer-stalled",
  "client-api/launch-timeout",
  "client-api/protocol-violation",
]);

/** Makes a Client API executor; what an earlier job process of this job left running is ended first. */
export async function createClientApiExecutor(init: ClientApiExecutorInit): Promise<ClientApiExecutor> {
  const folder = join(init.job.workspace, init.folderName);
  const temporaryFolder = join(folder, "tmp");
  const strippedFolder = join(folder, "stripped");
  const resultFolder = join(folder, "results");
  const ownStateFolder = join(stateFolder(init.job.workspace), init.folderName);
  const bootstrapPath = join(folder, "bootstrap.json");
  if (existsSync(bootstrapPath)) await endLeftovers(bootstrapPath);
  await rm(temporaryFolder, { recursive: true, force: true });
  await mkdir(temporaryFolder, { recursive: true });
  await mkdir(resultFolder, { recursive: true });
  await mkdir(ownStateFolder, { recursive: true });
  const { jobId, site, datasets } = init.job;
  await writeBootstrap(bootstrapPath, { protocol_version: protocolVersion, channel: "fd:3", job_id: jobId, site_name: site, datasets });
  // Scripts are ES modules unless their own folder says otherwise.
  await writeFile(join(init.job.workspace, "package.json"), `${JSON.stringify({ private: true, type: "module" })}\n`);
  const results = new ResultFolder({ folder: resultFolder });
  // A trainer that was started by hand may outlive a job process, and be writing.
  if (init.settings.launch.kind !== "attach") await results.sweep();
  return new ClientApiExecutor({ results }, { ...init, bootstrapPath, resultFolder, ownStateFolder, temporaryFolder, strippedFolder });
}

interface Places {
  readonly bootstrapPath: string;
  readonly resultFolder: string;
  readonly ownStateFolder: string;
  readonly temporaryFolder: string;
  readonly strippedFolder: string;
}

/** Runs the user's training program in a process of its own and talks to it by the Client API. */
export class ClientApiExecutor implements Executor {
  readonly #results: ResultFolder;
  readonly #init: ClientApiExecutorInit & Places;
  readonly #stopping = new AbortController();
  #trainer: TrainerProcess | undefined;
  #stripped: Promise<void> | undefined;
  /** Where the moves of the trainer are told. */
  #report: TaskContext["report"] = () => {};
  /** How far the job's count of rounds is ahead of that of the trainer, who knows of its own workflow alone. */
  #roundsBefore = 0;

  constructor(components: { readonly results: ResultFolder }, init: ClientApiExecutorInit & Places) {
    this.#results = components.results;
    this.#init = init;
  }

  async execute(task: SiteTask, context: TaskContext): Promise<void> {
    const { settings } = this.#init;
    const message = taskMessage(task);
    const taskId = message.task_id;
    this.#roundsBefore = task.key.round - message.current_round;
    const signal = AbortSignal.any([context.signal, this.#stopping.signal]);
    this.#report = context.report;
    const stored = await this.#results.find(taskId);
    const result = stored ?? (await this.#train(message, signal));
    try {
      await context.deliver(result);
    } catch (reason) {
      await this.#dropRefused(taskId, result, { reason, isKept: signal.aborted });
      throw reason;
    }
    // The parent removes what it takes; nobody wanted this one any more.
    await this.#results.forget(taskId, signal.aborted ? result.path : undefined);
    if (stored !== undefined) return;
    this.#trainer?.acknowledge(taskId);
    if (!settings.isLaunchedOnce) await this.#endTrainer("The task is done.");
  }

  async stop(reason: string): Promise<void> {
    this.#stopping.abort(new FlareError("internal/aborted", reason));
    await this.#endTrainer(reason);
    if (this.#init.settings.launch.kind !== "attach") await this.#results.sweep();
  }

  kill(): void {
    this.#trainer?.kill();
  }

  async #train(message: TaskMessage, signal: AbortSignal): ReturnType<ResultFolder["keep"]> {
    const { trainTaskName, evaluateTaskName } = this.#init.settings;
    const task = message.task_name;
    const asked = { task, isEvaluation: task === evaluateTaskName && task !== trainTaskName };
    for (let restarts = 0; ; restarts += 1) {
      try {
        const trainer = await this.#runningTrainer(signal);
        // A script that tells nothing of its work is at work all the same.
        this.#report({ phase: "training", done: 0, total: 0, reason: "the trainer has the task" });
        return await trainer.exchange(message, (result) => this.#results.keep(result, asked), signal);
      } catch (reason) {
        if (signal.aborted) {
          // A trainer that serves one task has nothing left to do; one that serves the job finds the cancellation at send().
          if (!this.#init.settings.isLaunchedOnce) this.kill();
          throw signal.reason;
        }
        const error = FlareError.from(reason);
        const { launch, maxRestarts } = this.#init.settings;
        const isFinal = launch.kind === "attach" && !launch.isReconnectAllowed;
        // What dies of a full disk, such as by a line that it prints, is not at fault.
        if (error.code === "client-api/trainer-died" && !isFinal && (await waitForRoom(this.#init.job.workspace, signal))) restarts -= 1;
        else if (!restartable.has(error.code) || restarts >= maxRestarts || isFinal) throw error;
        this.#init.onRestart(error);
      }
    }
  }

  /**
   * A result that the site does not let out, or that could not be made what leaves it: the task fails, nothing of it is left, and the
   * script, which waits for word of it, goes on. When the parent is gone, the next job process asks for it again.
   */
  async #dropRefused(
    taskId: string,
    { path }: TrainerResult,
    { reason, isKept }: { readonly reason: unknown; readonly isKept: boolean },
  ): Promise<void> {
    if (!(reason instanceof FlareError) || reason.code === "runtime/channel-closed") return;
    if (!isKept) await this.#results.forget(taskId, path);
    this.#trainer?.acknowledge(taskId, false);
    if (!this.#init.settings.isLaunchedOnce) await this.#endTrainer("The task is done.");
  }

  async #runningTrainer(signal: AbortSignal): Promise<TrainerProcess> {
    if (this.#trainer?.isReachable === true) return this.#trainer;
    await this.#endTrainer("The trainer has left the session.");
    const { settings, job, resultFolder, ownStateFolder, onLog, clock } = this.#init;
    const { jobId, jobName, site, datasets } = job;
    const { launch } = settings;
    const isAttached = launch.kind === "attach";
    if (!isAttached) await this.#results.sweep();
    const secrets = await this.#init.readSecrets(secretNames(settings));
    await this.#stripTypes();
    const command = isAttached ? attachCommand({ ...this.#init, launch }) : await trainerCommand({ ...this.#init, secrets });
    signal.throwIfAborted();
    const attachId = isAttached ? attachIdOf(launch, job) : "";
    const waitsFor = isAttached ? `waits for a trainer to attach as '${attachId}'` : "starts the trainer";
    this.#report({ phase: "waiting", done: 0, total: 0, reason: waitsFor });
    const stallMs = Math.min(job.stallMs, settings.stallTimeoutMs ?? job.stallMs);
    const trainer = await spawnTrainer({
      clock,
      command,
      secrets: Object.values(secrets),
      stallMs,
      welcome: {
        type: "welcome",
        protocol_version: protocolVersion,
        job_id: jobId,
        job_name: jobName,
        site_name: site,
        params_transfer_type: settings.paramsTransferType ?? "FULL",
        train_task_names: [settings.trainTaskName],
        evaluate_task_names: [settings.evaluateTaskName],
        submit_model_task_names: [settings.submitModelTaskName],
        heartbeat_seconds: Math.min(limits.heartbeatMs, stallMs / 4) / 1000,
        memory_gc_rounds: settings.memoryGcRounds,
        cuda_empty_cache: settings.isCudaCacheEmptied,
        datasets,
        result_folder: resultFolder,
        state_folder: ownStateFolder,
      },
      launchTimeoutMs: settings.launchTimeoutMs ?? stallMs,
      stopGracePeriodMs: settings.stopGracePeriodMs,
      logFile: join(job.workspace, "trainer.log"),
      onLog: ({ round, ...message }) => onLog(round === undefined ? message : { ...message, round: round + this.#roundsBefore }),
      onMove: ({ done, total, what }) => this.#report({ phase: "training", done, total, reason: what }),
      onUnwanted: ({ task_id: taskId, path }) => void this.#results.forget(taskId, path),
    });
    this.#trainer = trainer;
    try {
      await trainer.start(signal);
    } catch (reason) {
      // What stands in for a trainer takes its socket away.
      await trainer.end(isAttached);
      if (isAttached && reason instanceof FlareError && reason.code === "client-api/launch-timeout") {
        throw attachTimeout(attachId, job.attachFolder, (settings.launchTimeoutMs ?? stallMs) / 1000);
      }
      throw reason;
    }
    return trainer;
  }

  /** Once for all trainers of a script: what is changed later is loaded as it is. */
  async #stripTypes(): Promise<void> {
    const { settings, job, strippedFolder: to } = this.#init;
    if (settings.launch.kind !== "script" || !/\.m?ts$/.test(settings.launch.path)) return;
    this.#stripped ??= stripTypes({ from: join(job.appFolder, "custom"), to });
    await this.#stripped;
  }

  async #endTrainer(reason: string): Promise<void> {
    await this.#trainer?.stop(reason);
    this.#trainer = undefined;
  }
}

function attachTimeout(attachId: string, folder: string, seconds: number): FlareError {
  return new FlareError("client-api/attach-timeout", `No trainer has attached as '${attachId}' within ${seconds} s.`, {
    facts: { attachId, folder, seconds },
  });
}

function taskMessage({ key, modelPath, totalRounds, meta }: SiteTask): TaskMessage {
  const own = ownRoundOf(meta, { round: key.round, totalRounds });
  return {
    type: "task",
    task_id: `${key.task}-${key.round}`,
    task_name: key.task,
    model_path: modelPath,
    current_round: own.current,
    start_round: own.start,
    total_rounds: own.total,
    meta: meta as Meta,
  };
}

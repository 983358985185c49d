import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { type ClientApiExecutorSettings, FlareError } from "@flare-ts/contracts";
import type { SiteJobDescription, SiteTask, TaskPhase, TrainerResult } from "../job-process/job-channel.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { type ClientApiExecutor, createClientApiExecutor } from "./client-api-executor.js";

const jobId = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a12";

/** A Python with NumPy; `undefined` where there is none, so that tests can say so. */
export const pythonWithNumpy = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import numpy"]).status === 0,
);

/** An executor of one job with everything that a site gives it, in a folder of its own. */
export class OneExecutor {
  readonly root = mkdtempSync(join(tmpdir(), "flare-trainer-"));
  readonly phases: TaskPhase[] = [];
  readonly restarts: FlareError[] = [];
  readonly job: SiteJobDescription;
  #executor: ClientApiExecutor | undefined;

  constructor(job: Partial<SiteJobDescription> = {}) {
    const workspace = join(this.root, "job");
    const appFolder = join(workspace, "app_site-1");
    mkdirSync(join(appFolder, "custom"), { recursive: true });
    const modelsFolder = join(this.root, "models");
    mkdirSync(modelsFolder);
    const places = { workspace, appFolder, modelsFolder, attachFolder: join(this.root, "attach") };
    this.job = { jobId, jobName: "test", site: "site-1", datasets: {}, stallMs: 60_000, streamsLogs: false, ...places, ...job };
  }

  /** A path in the job's workspace, where scripts may write. */
  path(name: string): string {
    return join(this.job.workspace, name);
  }

  async open(settings: Partial<ClientApiExecutorSettings>, secrets: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#executor = await createClientApiExecutor({
      clock: systemStallClock,
      job: this.job,
      folderName: "client_api_0",
      onLog: () => {},
      onRestart: (error) => this.restarts.push(error),
      readSecrets: async (names) => Promise.resolve(Object.fromEntries(names.map((name) => [name, secrets[name] ?? ""]))),
      settings: {
        kind: "ClientAPIExecutor",
        launch: { kind: "script", path: "train.ts", args: [] },
        isLaunchedOnce: true,
        launchTimeoutMs: 30_000,
        stallTimeoutMs: undefined,
        stopGracePeriodMs: 5_000,
        trainTaskName: "train",
        evaluateTaskName: "validate",
        submitModelTaskName: "submit_model",
        paramsTransferType: undefined,
        maxRestarts: 0,
        env: {},
        memoryGcRounds: 0,
        isCudaCacheEmptied: false,
        ...settings,
      },
    });
  }

  /** Opens an executor that runs a script: Python where the name ends so. */
  async script(name: string, text: string, settings: Partial<ClientApiExecutorSettings> = {}, secrets = {}): Promise<void> {
    writeFileSync(join(this.job.appFolder, "custom", name), text);
    await this.open({ launch: { kind: "script", path: name, args: [] }, ...settings }, secrets);
  }

  /** Has one task answered. */
  async train(round = 0, signal?: AbortSignal): Promise<TrainerResult> {
    return this.answer("train", round, signal);
  }

  /** The same for a task of any name. */
  async answer(name: string, round = 0, signal = new AbortController().signal): Promise<TrainerResult> {
    const modelPath = join(this.job.modelsFolder, `round-${round}.safetensors`);
    writeFileSync(modelPath, encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(1) }]]));
    const task: SiteTask = { key: { jobId, round, task: name }, modelPath, totalRounds: 3, meta: {} };
    const { promise, resolve } = Promise.withResolvers<TrainerResult>();
    await this.#executor?.execute(task, {
      signal,
      report: (phase) => this.phases.push(phase),
      deliver: async (result) => Promise.resolve(resolve(result)),
    });
    return promise;
  }

  /** The error with which a task fails. */
  async failure(name = "train"): Promise<FlareError> {
    const reason: unknown = await this.answer(name).catch((error: unknown) => error);
    if (reason instanceof FlareError) return reason;
    throw new Error("the task was answered, or failed with something else", { cause: reason });
  }

  async isThere(path: string): Promise<void> {
    while (!existsSync(path)) await delay(10);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  async moment(): Promise<void> {
    await delay(10);
  }

  async stop(): Promise<void> {
    await this.#executor?.stop("test over");
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}

import type { SerializedFlareError, UpdateForm } from "@flare-ts/contracts";
import type { TaskKey } from "../job/job-event.js";
import type { SiteJobCalls, TrainerResult } from "../job-process/job-channel.js";
import type { CallHandlers } from "../job-process/rpc-peer.js";
import { updateFormFor } from "../job-process/shape-update.js";
import type { Logger } from "../logging/logger.js";
import type { AdmittedJob } from "./job-admission.js";
import type { OutputSender } from "./output-sender.js";
import type { PrivacyGate } from "./privacy-gate.js";
import type { JobResources } from "./resource-pool.js";
import type { SiteSecrets } from "./site-secrets.js";
import type { TaskReporter } from "./task-reporter.js";

/** The open tasks of a job, as far as its process has to do with them. */
export interface TasksOfProcess {
  /** Whether the process has to work on a task. */
  isOpen(key: TaskKey): boolean;
  /** Tells the process of all tasks that it has to work on. */
  deliver(): void;
  /** Takes in what came of a task. @throws FlareError when it may not leave the site, or cannot be read */
  take(key: TaskKey, result: TrainerResult, form: UpdateForm | undefined): Promise<void>;
  fail(key: TaskKey, error: SerializedFlareError): Promise<void>;
}

export interface JobProcessComponents {
  readonly tasks: TasksOfProcess;
  readonly privacy: Pick<PrivacyGate, "metricsThatLeave">;
  readonly reporter: TaskReporter;
  readonly secrets: SiteSecrets;
  readonly output: OutputSender;
  readonly logger: Logger;
  readonly onJobBegun?: (() => void) | undefined;
}

export interface JobProcessInit {
  readonly jobId: string;
  readonly site: string;
  readonly admitted: AdmittedJob;
  readonly resources: JobResources | undefined;
  readonly datasets: Readonly<Record<string, string>>;
  readonly updateForm?: "none" | UpdateForm | undefined;
  readonly modelsFolder: string;
  readonly stallMs: number;
  readonly attachFolder: string;
}

/** What a site answers the process of one of its jobs: it holds no key, and asks for all that it needs. */
export function answersToJobProcess(components: JobProcessComponents, init: JobProcessInit): CallHandlers<SiteJobCalls> {
  const { tasks, privacy, reporter, secrets, output, logger, onJobBegun } = components;
  const { jobId, site, admitted, datasets, modelsFolder, updateForm, stallMs, attachFolder } = init;
  const { jobName, folder, appFolder, app, scope, secure } = admitted;
  const { gpus = [], cpus = 0 } = init.resources ?? {};
  // Filters need values as they were trained: whatever makes an update smaller comes after them.
  const formInProcess = scope === undefined && secure === undefined ? updateForm : "none";
  return {
    begin: () => {
      // The reply goes out first; the open tasks follow it on the same channel.
      queueMicrotask(() => tasks.deliver());
      onJobBegun?.();
      const job = {
        jobId,
        jobName,
        site,
        workspace: folder,
        appFolder,
        datasets,
        modelsFolder,
        ...(formInProcess === undefined ? {} : { updateForm: formInProcess }),
        ...(gpus.length === 0 ? {} : { gpus }),
        ...(cpus === 0 ? {} : { cpus }),
        stallMs,
        attachFolder,
        streamsLogs: output.allowsLogs,
      };
      return Promise.resolve({ job, app });
    },
    result: async ({ key, ...result }) => {
      const form = scope === undefined || secure !== undefined ? undefined : updateFormFor(key.task, app.resultFilters, updateForm);
      await tasks.take(key, result, form);
      return {};
    },
    taskFailed: async ({ key, error }) => {
      await tasks.fail(key, error);
      return {};
    },
    taskProgress: ({ key, ...phase }) => {
      if (tasks.isOpen(key)) reporter.note(key, phase);
      return Promise.resolve({});
    },
    secrets: async ({ names }) => ({ values: await secrets.read(names) }),
    log: ({ key, value, round, step }) => {
      logger.info("trainer metric", { key, value, round, step });
      const { [key]: leaves } = privacy.metricsThatLeave(scope, { [key]: value });
      if (leaves !== undefined) output.metric(jobId, { key, value, round, step });
      return Promise.resolve({});
    },
    lines: async ({ source, texts }) => {
      await output.lines(jobId, source, texts);
      return {};
    },
  };
}

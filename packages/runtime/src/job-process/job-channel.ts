import type { SerializedFlareError } from "@flare-ts/contracts/errors";
import type { ClientAppSettings, SecureAggregation, UpdateForm } from "@flare-ts/contracts/job";
import type { AcceptedUpdate, JobEvent, JournalEntry, Metrics, ParamsType, TaskKey } from "../job/job-event.js";
import type { LogSource } from "../output/job-output.js";
import type { ObjectRef } from "../store/model-store.js";

/** No parameters, or no result. */
export type Nothing = Readonly<Record<string, never>>;

/**
 * Calls that a job process makes to its parent, and what it hears. The channel is local, carries JSON only (tensors go by
 * file path), and gives the job process no key, no token and no socket of the network. Every launcher provides one.
 */
export interface ServerJobCalls {
  /** The job, and its journal so far; events after it arrive as `event` notices. */
  begin(params: Nothing): { readonly job: ServerJobDescription; readonly entries: readonly JournalEntry[] };
  /** Appends a decision of the workflow to the journal; resolves when it is durable. */
  append(params: { readonly event: JobEvent }): { readonly seq: number };
  /** Opens a task at sites; idempotent. */
  assign(params: {
    readonly round: number;
    readonly task: string;
    readonly model: ObjectRef;
    /** What a site gets that is named here, instead of `model`. */
    readonly models?: Readonly<Record<string, ObjectRef>>;
    readonly sites: readonly string[];
    readonly totalRounds: number;
    readonly meta: Readonly<Record<string, unknown>>;
    /** Objects that the sites may read besides the model. */
    readonly reads?: readonly ObjectRef[];
  }): Nothing;
  closeTask(params: { readonly round: number; readonly task: string }): Nothing;
  /** The object of a file of the server's app; the path is that inside the app. */
  appFile(params: { readonly path: string }): ObjectRef;
  /** Path of an object for reading. */
  objectPath(params: { readonly hash: string }): { readonly path: string };
  /**
   * A file of about so many bytes is going to be written from its beginning to its end, under this name in the job's folder. It may be there
   * by then with anything in it, to be written over.
   */
  beginFile(params: { readonly path: string; readonly bytes: number }): Nothing;
  /** So many bytes stand in that file, and stay as they are: they are hashed by now when it is taken. */
  fileReached(params: { readonly path: string; readonly bytes: number }): Nothing;
  /** Takes a file that the job process wrote into the store; the file is moved away. */
  importObject(params: { readonly path: string }): ObjectRef;
  /** The workflow is over. */
  finish(params: { readonly model: ObjectRef; readonly reason: string }): Nothing;
  /** This process cannot go on, and ends; another one may, from the journal. */
  interrupt(params: { readonly error: SerializedFlareError }): Nothing;
  /** The workflow cannot go on. */
  fail(params: { readonly error: SerializedFlareError }): Nothing;
}

/** What a server job process hears from its parent. */
export interface ServerJobNotices {
  event: JournalEntry;
}

export interface ServerJobDescription {
  readonly jobId: string;
  readonly name: string;
  /** Sites that take part. */
  readonly sites: readonly string[];
  /** The job's `min_clients`; `undefined` when it was not written. */
  readonly minClients: number | undefined;
  readonly mandatoryClients: readonly string[];
  /** How its updates are added without being read; `undefined`: they are read. */
  readonly secureAggregation?: SecureAggregation | undefined;
  /** Folder of the job process: `app_server/config`, `app_server/custom` inside; it may write here. */
  readonly workspace: string;
}

export interface SiteJobCalls {
  /**
   * The job, and what its app's signed configuration comes to. The parent compiles that: schemas would be most of this process's memory,
   * and the folder of the app may be written by the job's code.
   */
  begin(params: Nothing): { readonly job: SiteJobDescription; readonly app: ClientAppSettings };
  /** Hands a result over; resolves when the site's parent has it durably. The file is moved away. */
  result(params: { readonly key: TaskKey; readonly path: string } & Omit<AcceptedUpdate, "site" | "update">): Nothing;
  taskFailed(params: { readonly key: TaskKey; readonly error: SerializedFlareError }): Nothing;
  /** A task has moved, or waits for something. */
  taskProgress(params: { readonly key: TaskKey } & TaskPhase): Nothing;
  /** Values of the site's secrets of these names; `client-api/secret-missing` when it lacks one. */
  secrets(params: { readonly names: readonly string[] }): { readonly values: Readonly<Record<string, string>> };
  /** Metrics that the trainer logs with `log`. */
  log(params: {
    readonly key: string;
    readonly value: number;
    readonly round: number | undefined;
    readonly step: number | undefined;
  }): Nothing;
  /** Log lines of the trainer or of the job process; answered when more can be taken. */
  lines(params: { readonly source: LogSource; readonly texts: readonly string[] }): Nothing;
}

/** What a site's job process hears from its parent. */
export interface SiteJobNotices {
  task: SiteTask;
  cancelTask: TaskKey;
  /** The job is over: stop the trainer and exit. */
  stop: { readonly reason: string };
}

/** How far a task is at its site. */
export interface TaskPhase {
  readonly phase: "waiting" | "downloading" | "training" | "uploading";
  /** Bytes of a transfer, or steps that a training script counts; 0 where nothing is counted. */
  readonly done: number;
  readonly total: number;
  /** What it waits for, or what moved last; for people. */
  readonly reason: string;
}

export interface SiteTask {
  readonly key: TaskKey;
  /** A safetensors file that must only be read. */
  readonly modelPath: string;
  readonly totalRounds: number;
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface SiteJobDescription {
  readonly jobId: string;
  readonly jobName: string;
  readonly site: string;
  /** Folder of the job process: `app_<site>/config`, `app_<site>/custom` inside; it may write here. */
  readonly workspace: string;
  /** Folder of the app: `config/` and `custom/` inside. */
  readonly appFolder: string;
  /** Data sets that the site's operator offers: name to path on this site's disk. */
  readonly datasets: Readonly<Record<string, string>>;
  /** How updates leave the site, whatever the job says; absent: the job decides. */
  readonly updateForm?: "none" | UpdateForm;
  /** Folder in which the models lie that tasks name; a trainer must be able to read there. */
  readonly modelsFolder: string;
  /** The GPUs that are the job's, by the names that CUDA knows them by; absent: it asked for none, and sees what the site sees. */
  readonly gpus?: readonly string[];
  /** Processors that are kept for the job; absent: it asked for none. */
  readonly cpus?: number;
  /** A training step that makes no progress for so long is given up, unless the job asks for less. */
  readonly stallMs: number;
  /** Where trainers that are started by hand find their job. */
  readonly attachFolder: string;
  /** Whether log lines go to the server. */
  readonly streamsLogs: boolean;
}

/** What a trainer sends back for a task. */
export interface TrainerResult {
  readonly path: string;
  readonly paramsType: ParamsType;
  readonly weight: number;
  readonly metrics: Metrics;
  readonly meta: Readonly<Record<string, unknown>>;
}

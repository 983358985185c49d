import type { ContentHash } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry, TaskKey } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import type { ObjectRef } from "./model-store.js";

/** What the server keeps of a job. */
export interface JobRecord {
  readonly jobId: string;
  readonly name: string;
  /** Study that it belongs to. */
  readonly study: string;
  readonly status: JobStatus;
  readonly submitterName: string;
  readonly submitterOrg: string;
  readonly submitterRole: string;
  readonly submitTimeMs: number;
  readonly startTimeMs: number | undefined;
  readonly endTimeMs: number | undefined;
  /** Why the job ended as it did; empty while it has not. */
  readonly reason: string;
  readonly signedJob: ObjectRef;
  /** Sites that take part, with the app that each runs; empty until the job is dispatched. */
  readonly apps: Readonly<Record<string, string>>;
  /** The global model at the end. */
  readonly result: ObjectRef | undefined;
}

export interface NewJob {
  readonly jobId: string;
  readonly name: string;
  readonly study: string;
  readonly submitterName: string;
  readonly submitterOrg: string;
  readonly submitterRole: string;
  readonly submitTimeMs: number;
  readonly signedJob: ObjectRef;
}

/** What may change of a job. */
export type JobChange = Partial<Pick<JobRecord, "status" | "startTimeMs" | "endTimeMs" | "reason" | "apps" | "result">>;

/** What came of adding a job. */
export interface AddedJob {
  readonly job: JobRecord;
  readonly isNew: boolean;
  /** The first entry of the journal of a job that is new. */
  readonly entry?: JournalEntry;
}

/** A task that is open, or was: the model that a site has to train on. */
export interface TaskRecord extends TaskKey {
  readonly site: string;
  readonly model: ObjectRef;
  readonly totalRounds: number;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** The entry of an answer that a task is given: an update, or what a step was asked for. */
export type AnswerEvent = Extract<JobEvent, { type: "update-accepted" | "step-answered" }>;

/** What became of an update that was handed in. */
export type UpdateOutcome = "accepted" | "duplicate" | "late";

export interface JobFilter {
  /** @default jobs of all studies */
  readonly study?: string;
  readonly statuses?: readonly JobStatus[];
  readonly submitterName?: string;
  readonly idPrefix?: string;
  readonly namePrefix?: string;
  /** Newest first when true. @default false */
  readonly isReversed?: boolean;
  /** Those that come after this job in that order; of none where it is not there. */
  readonly after?: string;
  readonly limit?: number;
}

/**
 * The server's durable state. When a promise resolves, what it promises survives a kill and a power cut. Every
 * implementation passes `serverStoreCompliance`.
 */
export interface ServerStore {
  /**
   * Adds a job, with the first event of its journal in the same transaction. A job that is there with the same signed content
   * is returned as it is; with other content it is refused (`job/id-taken`).
   */
  addJob(job: NewJob, first?: JobEvent): Promise<AddedJob>;
  job(jobId: string): Promise<JobRecord | undefined>;
  /** In order of submission. */
  jobs(filter?: JobFilter): Promise<readonly JobRecord[]>;
  /** Changes a job; a finished job keeps its status (`false` is returned and nothing changes). */
  updateJob(jobId: string, change: JobChange): Promise<boolean>;

  /**
   * Changes an unfinished job and journals why, in one transaction: neither is ever there without the other. `undefined` when
   * the job is finished, and nothing changes.
   */
  changeJob(jobId: string, change: JobChange, atMs: number, event: JobEvent): Promise<JournalEntry | undefined>;

  /** Deletes a finished job with its journal and tasks; `false`, and nothing happens, when it is not finished. @throws FlareError `job/not-found` */
  deleteJob(jobId: string): Promise<boolean>;

  /** Appends to a job's journal. */
  append(jobId: string, atMs: number, event: JobEvent): Promise<JournalEntry>;
  /** Entries after `afterSeq`, in order; the first `limit` of them where that is given. */
  entries(jobId: string, afterSeq?: number, limit?: number): Promise<readonly JournalEntry[]>;
  /** Entries of all jobs that name an object by its hash, in no order. Looks through all journals. */
  entriesNaming(hash: ContentHash): Promise<readonly JournalEntry[]>;

  /** Opens tasks; those that are there already stay as they are. */
  openTasks(tasks: readonly TaskRecord[]): Promise<void>;
  /** Closes a task at all sites: updates from now on are late. */
  closeTask(key: TaskKey): Promise<void>;
  /** Open tasks of a site in unfinished jobs that it has neither answered nor reported as failed. */
  openTasksOf(site: string): Promise<readonly TaskRecord[]>;
  /** The open ones of a task, of all sites, in the order of their names. */
  openTasksFor(key: TaskKey): Promise<readonly TaskRecord[]>;

  /**
   * Accepts an update once per (job, round, task, site), and journals `update-accepted` in the same transaction. A second
   * one is a `duplicate`, one for a task that is closed or unknown is `late`; neither changes anything.
   */
  acceptUpdate(
    atMs: number,
    key: TaskKey,
    update: AnswerEvent,
  ): Promise<{ readonly outcome: UpdateOutcome; readonly entry?: JournalEntry }>;

  /** Marks the site's task as failed, once; journals `task-failed` in the same transaction. `undefined` when it was answered or closed before. */
  failTask(atMs: number, key: TaskKey, failure: Extract<JobEvent, { type: "task-failed" }>): Promise<JournalEntry | undefined>;

  close(): Promise<void>;
}

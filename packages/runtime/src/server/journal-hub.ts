import type { JobEvent, JournalEntry, TaskKey } from "../job/job-event.js";
import type { AddedJob, AnswerEvent, JobChange, NewJob, ServerStore, UpdateOutcome } from "../store/server-store.js";

type Listener = (entry: JournalEntry) => void;

/** Writes jobs' journals and tells those who follow them, each entry once and in order. */
export class JournalHub {
  readonly #store: ServerStore;
  readonly #now: () => number;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Entries that were durable before an earlier one was told. */
  readonly #ahead = new Map<string, Map<number, JournalEntry>>();
  readonly #next = new Map<string, number>();
  #changes = 0;

  constructor(components: { readonly store: ServerStore; readonly now: () => number }) {
    this.#store = components.store;
    this.#now = components.now;
  }

  /** How often something of any job changed since this server started; when it is the same, nothing did. */
  get changes(): number {
    return this.#changes;
  }

  /** Deletes a job that is over, with its journal; `false` when it is not over. @throws FlareError `job/not-found` */
  async deleteJob(jobId: string): Promise<boolean> {
    const isDeleted = await this.#store.deleteJob(jobId);
    if (isDeleted) this.#changes += 1;
    return isDeleted;
  }

  async append(jobId: string, event: JobEvent): Promise<JournalEntry> {
    const entry = await this.#store.append(jobId, this.#now(), event);
    this.#tell(entry);
    return entry;
  }

  /** Adds a job together with its first entry. */
  async addJob(job: NewJob): Promise<AddedJob> {
    const added = await this.#store.addJob(job, { type: "job-submitted", submitter: job.submitterName, name: job.name });
    if (added.entry !== undefined) this.#tell(added.entry);
    return added;
  }

  /** Changes a job together with the entry that says so; `false`, and nothing happens, when it is finished. */
  async changeJob(jobId: string, change: JobChange, event: JobEvent): Promise<boolean> {
    const entry = await this.#store.changeJob(jobId, change, this.#now(), event);
    if (entry !== undefined) this.#tell(entry);
    return entry !== undefined;
  }

  async acceptUpdate(key: TaskKey, update: AnswerEvent): Promise<UpdateOutcome> {
    const { outcome, entry } = await this.#store.acceptUpdate(this.#now(), key, update);
    if (entry !== undefined) this.#tell(entry);
    return outcome;
  }

  async failTask(key: TaskKey, failure: Extract<JobEvent, { type: "task-failed" }>): Promise<void> {
    const entry = await this.#store.failTask(this.#now(), key, failure);
    if (entry !== undefined) this.#tell(entry);
  }

  /** Hears the whole journal of a job, from the start, then what is added; returns a function that stops it. */
  async follow(jobId: string, listener: Listener): Promise<() => void> {
    let told = 0;
    let backlog: JournalEntry[] | undefined = [];
    const ordered: Listener = (entry) => {
      if (backlog !== undefined) backlog.push(entry);
      else if (entry.seq > told) {
        told = entry.seq;
        listener(entry);
      }
    };
    const listeners = this.#listeners.get(jobId) ?? new Set();
    listeners.add(ordered);
    this.#listeners.set(jobId, listeners);
    const past = await this.#store.entries(jobId);
    if (!this.#next.has(jobId)) this.#next.set(jobId, (past.at(-1)?.seq ?? 0) + 1);
    const live = backlog;
    backlog = undefined;
    for (const entry of [...past, ...live]) ordered(entry);
    return () => {
      listeners.delete(ordered);
      if (listeners.size === 0 && this.#listeners.get(jobId) === listeners) this.#listeners.delete(jobId);
    };
  }

  /** Drops what is kept in memory of a job that is over. */
  forget(jobId: string): void {
    this.#next.delete(jobId);
    this.#ahead.delete(jobId);
  }

  #tell(entry: JournalEntry): void {
    this.#changes += 1;
    const { jobId, seq } = entry;
    const next = this.#next.get(jobId) ?? seq;
    if (seq > next) {
      const ahead = this.#ahead.get(jobId) ?? new Map<number, JournalEntry>();
      ahead.set(seq, entry);
      this.#ahead.set(jobId, ahead);
      return;
    }
    for (const listener of this.#listeners.get(jobId) ?? []) listener(entry);
    this.#next.set(jobId, Math.max(next, seq + 1));
    const waiting = this.#ahead.get(jobId)?.get(seq + 1);
    if (waiting !== undefined) {
      this.#ahead.get(jobId)?.delete(seq + 1);
      this.#tell(waiting);
    }
  }
}

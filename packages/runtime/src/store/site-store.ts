import type { AcceptedUpdate, TaskKey } from "../job/job-event.js";
import type { ObjectRef } from "./model-store.js";

/** A result that the site's job process has handed to its parent. */
export interface SiteResult extends TaskKey, Omit<AcceptedUpdate, "site" | "transfer"> {
  /** The model that the update was made of: what is the same in both need not be sent. */
  readonly base?: ObjectRef | undefined;
  /** The update itself where it is small, until it is acknowledged; any other is an object of the model store. */
  readonly bytes?: Uint8Array | undefined;
}

/** The site's durable state. When a promise resolves, what it promises survives a kill and a power cut. */
export interface SiteStore {
  /**
   * Keeps a result until the server has acknowledged it; a second one for the same task is ignored and the first returned.
   *
   * @returns the one that counts; `undefined` once the job is over, of which nothing leaves any more
   */
  addResult(result: SiteResult): Promise<SiteResult | undefined>;
  result(key: TaskKey): Promise<SiteResult | undefined>;
  /** Results that the server has not acknowledged, oldest first. */
  pendingResults(): Promise<readonly SiteResult[]>;
  /** The model of the job's last result: the newest that this site has worked on, whether it still holds it or not. */
  lastBase(jobId: string): Promise<ObjectRef | undefined>;
  /**
   * The server has the result, or will never want it. It stays known until its job is forgotten. Of a result with its bytes a power cut,
   * though no kill, may take this back: it is delivered once more, which changes nothing.
   */
  acknowledge(key: TaskKey): Promise<void>;
  /** What the updates of a privacy scope have cost together, of all jobs. */
  privacySpent(scope: string): Promise<number>;
  /**
   * Writes down what the answer to a task costs, unless `allows` says of what it comes to with all others that this is too much. Of a task
   * that has no result yet, nothing has left: what is written down last counts, once, whatever its scope and cost were before. Another
   * answer to one that has, or to one of a job that is over, does not leave and costs nothing.
   *
   * @returns whether it stands there
   */
  spendPrivacy(
    key: TaskKey,
    spending: { readonly scope: string; readonly cost: number; readonly allows: (together: number) => boolean },
  ): Promise<boolean>;
  /** Remembers that a job is over, and drops its results. */
  endJob(jobId: string): Promise<void>;
  /** Whether a job was ended here before; a signed job must not run twice. */
  hasEnded(jobId: string): Promise<boolean>;
  close(): Promise<void>;
}

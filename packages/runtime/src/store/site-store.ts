import type { AcceptedUpdate, TaskKey } from "../job/job-event.js";

/** A result that the site's job process has handed to its parent. */
export interface SiteResult extends TaskKey, Omit<AcceptedUpdate, "site"> {}

/** The site's durable state. When a promise resolves, what it promises survives a kill and a power cut. */
export interface SiteStore {
  /** Keeps a result until the server has acknowledged it; a second one for the same task is ignored and the first returned. */
  addResult(result: SiteResult): Promise<SiteResult>;
  result(key: TaskKey): Promise<SiteResult | undefined>;
  /** Results that the server has not acknowledged, oldest first. */
  pendingResults(): Promise<readonly SiteResult[]>;
  /** The server has the result, or will never want it. It stays known until its job is forgotten. */
  acknowledge(key: TaskKey): Promise<void>;
  /** Remembers that a job is over, and drops its results. */
  endJob(jobId: string): Promise<void>;
  /** Whether a job was ended here before; a signed job must not run twice. */
  hasEnded(jobId: string): Promise<boolean>;
  close(): Promise<void>;
}

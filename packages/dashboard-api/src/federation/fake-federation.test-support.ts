import { FlareError } from "@flare-ts/contracts";
import type { Federation, LinkState, WorkingSite } from "../contract/federation.js";
import type { Job } from "../contract/jobs.js";
import type { FederationAdmin, FederationLink, FederationNews } from "./federation-link.js";

/** A federation without a server: tests and benchmarks say what happens in it. */
export class FakeFederation implements FederationLink {
  readonly sites: WorkingSite[] = [];
  readonly jobs: Job[] = [];
  /** Followers of log lines by job. */
  readonly logReaders = new Map<string, number>();
  readonly #listeners = new Set<(news: FederationNews) => void>();
  #link: LinkState = { isConnected: true, sinceMs: 1, reason: "" };

  get listeners(): number {
    return this.#listeners.size;
  }

  tell(news: FederationNews): void {
    if (news.kind === "link") this.#link = news.link;
    for (const listener of this.#listeners) listener(news);
  }

  state(): LinkState {
    return this.#link;
  }

  view(): Federation {
    return { link: this.#link, server: null, sites: [...this.sites], jobs: [...this.jobs], atMs: 2 };
  }

  subscribe(listener: (news: FederationNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  followLogs(jobId: string): () => void {
    this.logReaders.set(jobId, (this.logReaders.get(jobId) ?? 0) + 1);
    return () => this.logReaders.set(jobId, (this.logReaders.get(jobId) ?? 0) - 1);
  }

  admin(): FederationAdmin {
    throw new FlareError("dashboard/federation-unreachable", "There is no server.");
  }

  start(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** A site of a federation that is not there. */
export function fakeSite(name: string, change: Partial<WorkingSite> = {}): WorkingSite {
  return {
    name,
    organization: "hospital_a",
    state: "connected",
    sinceMs: 1,
    reason: "",
    relay: null,
    softwareVersion: "0.1.0",
    resources: { gpus: 0, memPerGpuGiB: 0 },
    certificateEndsAtMs: 10,
    allowsLogStreaming: true,
    privacy: null,
    receivedBytes: 0,
    sentBytes: 0,
    receivedBytesPerSecond: null,
    sentBytesPerSecond: null,
    lastError: null,
    jobs: [],
    ...change,
  };
}

/** A job that runs in a federation that is not there. */
export function fakeJob(id: string, change: Partial<Job> = {}): Job {
  return {
    id,
    name: "job",
    status: "RUNNING",
    submitter: "lead@example.org",
    organization: "hospital_a",
    submittedAtMs: 1,
    startedAtMs: 2,
    endedAtMs: null,
    reason: "",
    sites: ["site-1"],
    progress: {},
    ...change,
  };
}

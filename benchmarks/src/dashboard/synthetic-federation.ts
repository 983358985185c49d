import { randomUUID } from "node:crypto";
import type { FederationAdmin, FederationLink, FederationNews } from "@flare-ts/dashboard-api";
import type { Federation, Job, WorkingSite } from "@flare-ts/dashboard-api/contract";

/** How busy the federation is. */
export interface SyntheticLoad {
  readonly sites: number;
  readonly jobs: number;
}

/** The server tells changes twice a second. */
const everyMs = 500;
/** A round of a job takes so long; each site answers once in it. */
const roundMs = 10_000;

/**
 * A federation at the seam of the dashboard, without a server: every half second each site moves on in each job and tracks a metric, and
 * journals grow as rounds come and go.
 */
export class SyntheticFederation implements FederationLink {
  readonly #load: SyntheticLoad;
  readonly #listeners = new Set<(news: FederationNews) => void>();
  readonly #ids: readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #tick = 0;
  #seq = 0;

  constructor(load: SyntheticLoad) {
    this.#load = load;
    this.#ids = Array.from({ length: load.jobs }, () => randomUUID());
  }

  state(): Federation["link"] {
    return { isConnected: true, sinceMs: 0, reason: "" };
  }

  view(): Federation {
    return { link: this.state(), server: null, sites: this.#sites(), jobs: this.#jobs(), atMs: Date.now() };
  }

  subscribe(listener: (news: FederationNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  followLogs(): () => void {
    return () => {};
  }

  admin(): FederationAdmin {
    throw new Error("a federation of a benchmark takes no commands");
  }

  start(): void {
    this.#timer = setInterval(() => this.#moveOn(), everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  #moveOn(): void {
    this.#tick += 1;
    const sites = this.#sites();
    const names = sites.map(({ name }) => name);
    this.#tell({ kind: "sites", sites });
    this.#tell({ kind: "jobs", jobs: this.#jobs(), removed: [] });
    const round = Math.floor((this.#tick * everyMs) / roundMs);
    const isDue = (index: number): boolean => index % (roundMs / everyMs) === this.#tick % (roundMs / everyMs);
    for (const jobId of this.#ids) {
      this.#tell({
        kind: "metrics",
        jobId,
        points: names.map((site) => ({
          seq: ++this.#seq,
          atMs: Date.now(),
          site,
          key: "loss",
          value: 1 / this.#tick,
          round,
          step: this.#tick,
        })),
      });
      const answered = names.filter((_, index) => isDue(index));
      this.#tell({
        kind: "job-events",
        jobId,
        entries: answered.map((site) => ({
          seq: ++this.#seq,
          atMs: Date.now(),
          event: {
            type: "update-accepted",
            round,
            task: "train",
            site,
            weight: 100,
            metrics: { loss: 1 / this.#tick },
            update: { size: 1e6 },
          },
        })),
      });
    }
  }

  #sites(): WorkingSite[] {
    return Array.from({ length: this.#load.sites }, (_, index) => ({
      name: `site-${index + 1}`,
      organization: `hospital_${index + 1}`,
      state: "connected",
      sinceMs: 1,
      reason: "",
      relay: null,
      softwareVersion: "0.1.0",
      resources: { gpus: 1, memPerGpuGiB: 16 },
      certificateEndsAtMs: 4_000_000_000_000,
      allowsLogStreaming: true,
      privacy: null,
      receivedBytes: this.#tick * 1e6,
      sentBytes: this.#tick * 1e6,
      receivedBytesPerSecond: 1e7,
      sentBytesPerSecond: 1e7,
      lastError: null,
      jobs: [...this.#ids],
    }));
  }

  #jobs(): Job[] {
    const names = Array.from({ length: this.#load.sites }, (_, index) => `site-${index + 1}`);
    return this.#ids.map((id) => ({
      id,
      name: "synthetic",
      status: "RUNNING",
      submitter: "lead@example.org",
      organization: "hospital_1",
      submittedAtMs: 1,
      startedAtMs: 2,
      endedAtMs: null,
      reason: "",
      sites: names,
      progress: Object.fromEntries(names.map((name) => [name, { phase: "training", done: this.#tick, total: 1000, atMs: Date.now() }])),
    }));
  }

  #tell(news: FederationNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}

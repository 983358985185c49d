import type { FederationAdmin, FederationLink, FederationNews } from "@flare-ts/dashboard-api";
import type { Federation, Job, WorkingSite } from "@flare-ts/dashboard-api/contract";

const startMs = 1_900_000_000_000;

/** A federation of many sites and jobs that always has news, without a server: what matters is what the page makes of it. */
export class BusyFederation implements FederationLink {
  readonly #listeners = new Set<(news: FederationNews) => void>();
  #siteNames: readonly string[];
  readonly #jobIds: readonly string[];
  #tick = 0;

  constructor(init: { readonly sites: number; readonly jobs: number }) {
    this.#siteNames = namesOf(init.sites);
    this.#jobIds = Array.from({ length: init.jobs }, (_, index) => `00000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`);
  }

  /** From now on it has as many sites. */
  grow(sites: number): void {
    this.#siteNames = namesOf(sites);
    this.turn();
  }

  /** Every site and every job has moved on. */
  turn(): void {
    this.#tick++;
    const tell = (news: FederationNews): void => this.#listeners.forEach((listener) => listener(news));
    tell({ kind: "sites", sites: this.#sites() });
    tell({ kind: "jobs", jobs: this.#jobs(), removed: [] });
  }

  state(): Federation["link"] {
    return { isConnected: true, sinceMs: startMs, reason: "" };
  }

  view(): Federation {
    return {
      link: this.state(),
      server: { name: "localhost", project: "busy", startedAtMs: startMs, softwareVersion: "0.1.0", receivedBytes: 1e9, sentBytes: 2e9 },
      sites: this.#sites(),
      jobs: this.#jobs(),
      atMs: startMs,
    };
  }

  subscribe(listener: (news: FederationNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  followLogs(): () => void {
    return () => {};
  }

  admin(): FederationAdmin {
    throw new Error("a page that only looks asks the server for nothing");
  }

  start(): void {}

  async stop(): Promise<void> {}

  #sites(): WorkingSite[] {
    return this.#siteNames.map((name, index) => ({
      name,
      organization: "north",
      state: index % 9 === 8 ? "disconnected" : "connected",
      sinceMs: startMs,
      reason: index % 9 === 8 ? "its link broke" : "",
      relay: null,
      softwareVersion: "0.1.0",
      resources: { gpus: index % 3, memPerGpuGiB: 24 },
      certificateEndsAtMs: startMs + 9e9,
      allowsLogStreaming: true,
      privacy: null,
      receivedBytes: this.#tick * 1e6 * index,
      sentBytes: this.#tick * 2e6 * index,
      receivedBytesPerSecond: 4e6,
      sentBytesPerSecond: 8e6,
      lastError: null,
      jobs: index % 9 === 8 ? [] : [...this.#jobIds],
    }));
  }

  #jobs(): Job[] {
    return this.#jobIds.map((id, index) => ({
      id,
      name: `job-${index + 1}`,
      status: "RUNNING",
      submitter: "dan@university.org",
      organization: "university",
      submittedAtMs: startMs + index,
      startedAtMs: startMs + index,
      endedAtMs: null,
      reason: "",
      sites: [...this.#siteNames],
      progress: Object.fromEntries(
        this.#siteNames.map((name, at) => [
          name,
          { phase: (this.#tick + at) % 4 === 0 ? "uploading" : "training", done: this.#tick % 10, total: 10, atMs: startMs + this.#tick },
        ]),
      ),
    }));
  }
}

function namesOf(sites: number): readonly string[] {
  return Array.from({ length: sites }, (_, index) => `site-${index + 1}`);
}

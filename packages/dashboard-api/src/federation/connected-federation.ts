import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import type { FastifyBaseLogger } from "fastify";
import type { Federation, LinkState } from "../contract/federation.js";
import type { FederationAdmin, FederationLink, FederationNews } from "./federation-link.js";
import { FederationState, type Submitter } from "./federation-state.js";
import { JobFollowers } from "./job-followers.js";

export interface ConnectedFederationComponents {
  /** Folder of the admin kit; `undefined` as long as there is none. */
  readonly kitFolder: () => Promise<string | undefined>;
  /** Tells when there is another kit; the returned function ends that. */
  readonly onKit: (listener: () => void) => () => void;
  /** Opens a session at the server. */
  readonly connect: (kitDir: string, signal: AbortSignal) => Promise<FederationAdmin>;
  readonly submitterOf: (jobId: string) => Submitter | undefined;
  /** The newest list of who is not trusted any more, and whoever tells of newer ones. */
  readonly trustLists: {
    current(): { readonly text: string } | undefined;
    subscribe(listener: (list: { readonly text: string }) => void): () => void;
  };
  readonly now: () => number;
  /** From 0 to 1, below 1. */
  readonly random: () => number;
  readonly logger: FastifyBaseLogger;
}

/** First and longest wait before the server is tried again. */
const firstWaitMs = 250;
const longestWaitMs = 10_000;

/** The link over the runtime's admin entry: it connects by itself whenever there are kit and server, and says why when not. */
export class ConnectedFederation implements FederationLink {
  readonly #parts: ConnectedFederationComponents;
  readonly #state: FederationState;
  readonly #followers: JobFollowers;
  readonly #listeners = new Set<(news: FederationNews) => void>();
  readonly #stopping = new AbortController();
  /** Ends the connection, or the wait for one, because there is another kit. */
  #turn = new AbortController();
  #link: LinkState;
  #admin: FederationAdmin | undefined;
  #loop: Promise<void> = Promise.resolve();
  readonly #closers: (() => void)[] = [];

  constructor(components: ConnectedFederationComponents) {
    this.#parts = components;
    this.#state = new FederationState(components);
    this.#followers = new JobFollowers({ tell: (news) => this.#tell(news), logger: components.logger });
    this.#link = { isConnected: false, sinceMs: components.now(), reason: "The dashboard has just started." };
  }

  start(): void {
    const { onKit, trustLists } = this.#parts;
    this.#closers.push(
      onKit(() => this.#turn.abort()),
      trustLists.subscribe(({ text }) => void this.#pushTrust(text)),
    );
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    for (const close of this.#closers.splice(0)) close();
    this.#stopping.abort();
    await this.#loop;
  }

  state(): LinkState {
    return this.#link;
  }

  view(): Federation {
    return this.#state.view(this.#link, this.#parts.now());
  }

  subscribe(listener: (news: FederationNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  followLogs(jobId: string): () => void {
    return this.#followers.readLogs(jobId);
  }

  admin(): FederationAdmin {
    if (this.#admin !== undefined) return this.#admin;
    throw new FlareError("dashboard/federation-unreachable", `The project's server is not reached: ${this.#link.reason}`);
  }

  async #run(): Promise<void> {
    const { kitFolder, random, logger } = this.#parts;
    let attempt = 0;
    while (!this.#stopping.signal.aborted) {
      this.#turn = new AbortController();
      const signal = AbortSignal.any([this.#stopping.signal, this.#turn.signal]);
      try {
        const kitDir = await kitFolder();
        if (kitDir === undefined) {
          this.#become(false, "The project has no kit for the dashboard yet. It gets one when the project is frozen.");
          await aborted(signal);
          continue;
        }
        await this.#connectOnce(kitDir, signal, () => {
          attempt = 0;
        });
      } catch (reason) {
        if (this.#stopping.signal.aborted) return;
        const error = FlareError.from(reason);
        if (!this.#turn.signal.aborted) {
          this.#become(false, `${error.message} ${error.row.todo}`);
          logger[attempt === 0 ? "warn" : "debug"]({ code: error.code, reason: error.message }, "the project's server is not reached");
        }
      }
      const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** attempt) * (0.5 + random() / 2);
      attempt = Math.min(attempt + 1, 10);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #connectOnce(kitDir: string, signal: AbortSignal, onConnected: () => void): Promise<void> {
    const { connect, trustLists } = this.#parts;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const admin = await connect(kitDir, either);
    try {
      signal.throwIfAborted();
      let isFirst = true;
      for await (const change of admin.watchSystem({ signal: either })) {
        const { sites, jobs, removed } = this.#state.take(change);
        if (isFirst) {
          this.#admin = admin;
          onConnected();
          this.#become(true, "");
          this.#tell({ kind: "snapshot" });
          this.#followers.connected(admin, either);
          const list = trustLists.current();
          if (list !== undefined) void this.#pushTrust(list.text);
        } else {
          if (sites.length > 0) this.#tell({ kind: "sites", sites });
          if (jobs.length > 0 || removed.length > 0) this.#tell({ kind: "jobs", jobs, removed });
        }
        this.#followers.keep(this.#state.openJobs(), isFirst);
        isFirst = false;
      }
      throw new FlareError("transfer/disconnected", "The server has ended the connection.");
    } finally {
      this.#admin = undefined;
      over.abort();
      admin.close();
    }
  }

  /** The server learns who is not trusted any more; a list that it has already is no harm. */
  async #pushTrust(text: string): Promise<void> {
    try {
      await this.#admin?.updateTrust(text);
    } catch (reason) {
      const { code, message } = FlareError.from(reason);
      this.#parts.logger.error({ code, reason: message }, "the server did not take the newest trust list");
    }
  }

  #become(isConnected: boolean, reason: string): void {
    if (this.#link.isConnected === isConnected && this.#link.reason === reason) return;
    const isSame = this.#link.isConnected === isConnected;
    this.#link = { isConnected, sinceMs: isSame ? this.#link.sinceMs : this.#parts.now(), reason };
    this.#tell({ kind: "link", link: this.#link });
  }

  #tell(news: FederationNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

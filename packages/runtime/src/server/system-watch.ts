import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobSummary, ServerStatus, SiteStatus, SystemChange, SystemStatus } from "../admin/job-summary.js";
import type { Admission } from "../budget/admission.js";
import type { DiskBudget } from "../budget/disk-budget.js";
import { isFinished, jobStatuses } from "../job/job-status.js";
import type { Identity } from "../session/identity.js";
import type { ProjectKeys } from "../session/project-keys.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import type { StudyRegistry } from "../study/study-registry.js";
import { softwareVersion } from "../version.js";
import type { DisabledSite, DisabledSites } from "./disabled-sites.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobSummaries } from "./job-summaries.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { ServerJob } from "./server-job.js";
import type { KnownSite, SiteDirectory } from "./site-directory.js";
import type { SiteErrors } from "./site-errors.js";
import type { SiteTraffic } from "./site-traffic.js";

export interface SystemWatchComponents {
  readonly directory: Pick<SiteDirectory, "known" | "get">;
  readonly jobs: Pick<JobTable, "all">;
  readonly studies: Pick<StudyRegistry, "studies">;
  readonly summaries: JobSummaries;
  readonly store: Pick<ServerStore, "jobs">;
  readonly hub: Pick<JournalHub, "changes">;
  readonly traffic: SiteTraffic;
  readonly errors: SiteErrors;
  readonly scheduler: Pick<JobScheduler, "waitingJobs">;
  readonly admission: Pick<Admission, "waiting">;
  readonly disk: Pick<DiskBudget, "maxBytes" | "usedBytes"> | undefined;
  /** The server's own. */
  readonly identity: Pick<ProjectKeys, "certificatePem">;
  /** Sites that are kept out. */
  readonly disabled: Pick<DisabledSites, "get" | "all">;
  /** Who a session's participant is now; a certificate may have been renewed since it attached. */
  readonly identityOf: (sessionId: string) => Identity | undefined;
}

export interface SystemWatchInit {
  readonly serverName: string;
  readonly project: string;
  readonly startedAtMs: number;
  /** What the server's processes may hold together; `undefined` where that was not set. */
  readonly maxMemoryBytes: number | undefined;
  /** Least time between two looks for changes, in milliseconds. @default 500 */
  readonly everyMs?: number;
}

/** Jobs that are over and still shown to those who watch; older ones are listed on demand. */
const newestJobs = 100;
const unfinished = jobStatuses.filter((status) => !isFinished(status));

/** The state of the federation as a study sees it, and what changes of it. What belongs to the server alone, such as its disk, is told to all. */
export class SystemWatch {
  readonly #parts: SystemWatchComponents;
  readonly #init: SystemWatchInit;
  /** Ends of certificates; reading one anew for each look would cost more than the look. */
  readonly #ends = new WeakMap<Identity, number | null>();
  /** Newest jobs by study, as of a number of changes. */
  #records: { readonly changes: number; readonly byStudy: Map<string, readonly JobRecord[]> } = { changes: -1, byStudy: new Map() };

  constructor(components: SystemWatchComponents, init: SystemWatchInit) {
    this.#parts = components;
    this.#init = init;
  }

  async status(study: string): Promise<SystemStatus> {
    const { scheduler, admission, disk, studies, identity } = this.#parts;
    const isOfStudy = (who: string): boolean => studies.studies.hasSite(study, who) || studies.studies.hasUser(study, who);
    return {
      server: this.#serverStatus(),
      serverChainPem: identity.certificatePem,
      sites: this.#siteStatuses(study),
      runningJobs: this.#runningJobs(study).map((job) => job.jobId),
      waitingJobs: scheduler.waitingJobs(study),
      waitingTransfers: admission
        .waiting()
        .filter(({ who }) => isOfStudy(who))
        .map(({ who, what, reason, sinceMs }) => ({ who, what, reason, sinceMs })),
      budget: {
        maxMemoryBytes: this.#init.maxMemoryBytes ?? null,
        maxDiskBytes: disk?.maxBytes ?? null,
        usedDiskBytes: (await disk?.usedBytes()) ?? null,
      },
    };
  }

  /** Everything, then what changes, a little at a time, until the signal is aborted. */
  async *follow(study: string, signal: AbortSignal): AsyncGenerator<SystemChange, void, undefined> {
    const { everyMs = 500 } = this.#init;
    const told = { sites: new Map<string, string>(), jobs: new Map<string, string>() };
    let isFirst = true;
    while (!signal.aborted) {
      const [server, sites] = [this.#serverStatus(), this.#siteStatuses(study)];
      const jobs = await this.#newest(study);
      // A site that is not in the study any more: everything is told anew.
      if (hasLost(told.sites, sites)) {
        isFirst = true;
        told.sites.clear();
        told.jobs.clear();
      }
      const change: SystemChange = {
        isWhole: isFirst,
        server,
        sites: changed(told.sites, sites, ({ name }) => name),
        jobs: changed(told.jobs, jobs, ({ jobId }) => jobId),
        removedJobs: removed(told.jobs, jobs),
      };
      if (isFirst || change.sites.length > 0 || change.jobs.length > 0 || change.removedJobs.length > 0) yield change;
      isFirst = false;
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The newest jobs and all that are not over. Read again only when a journal has grown since. */
  async #newest(study: string): Promise<readonly JobSummary[]> {
    const { store, hub, summaries } = this.#parts;
    if (this.#records.changes !== hub.changes) this.#records = { changes: hub.changes, byStudy: new Map() };
    const { byStudy } = this.#records;
    let records = byStudy.get(study);
    if (records === undefined) {
      const [newest, open] = await Promise.all([
        store.jobs({ study, isReversed: true, limit: newestJobs }),
        store.jobs({ study, statuses: unfinished, isReversed: true }),
      ]);
      const known = new Set(newest.map(({ jobId }) => jobId));
      records = [...newest, ...open.filter(({ jobId }) => !known.has(jobId))];
      byStudy.set(study, records);
    }
    return records.map((job) => summaries.of(job));
  }

  #runningJobs(study: string): readonly ServerJob[] {
    return this.#parts.jobs.all().filter((job) => job.study === study);
  }

  #serverStatus(): ServerStatus {
    const { serverName, project, startedAtMs } = this.#init;
    const nodeVersion = process.version;
    return { name: serverName, project, startedAtMs, softwareVersion, nodeVersion, ...this.#parts.traffic.total() };
  }

  #siteStatuses(study: string): readonly SiteStatus[] {
    const { directory, studies, disabled } = this.#parts;
    const running = this.#runningJobs(study);
    const known = directory.known();
    const names = new Set(known.map(({ name }) => name));
    const unseen = [...disabled.all()].flatMap(([name, site]) => (names.has(name) ? [] : [unseenStatus(name, site)]));
    const sites = [...known.map((site) => this.#siteStatus(site, study, running)), ...unseen];
    return sites
      .filter(({ name, org }) => studies.studies.hasSite(study, name, org === "" ? undefined : org))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #siteStatus(site: KnownSite, study: string, running: readonly ServerJob[]): SiteStatus {
    const { directory, traffic, errors, identityOf } = this.#parts;
    const { name, org, hello, relay, identity } = site;
    const attached = directory.get(name);
    const entry = this.#parts.disabled.get(name);
    const { state, sinceMs, reason } = entry === undefined ? site : disabledState(entry);
    const now = attached === undefined ? identity : (identityOf(attached.sessionId) ?? identity);
    return {
      name,
      org,
      state,
      sinceMs,
      reason,
      relay: relay ?? null,
      softwareVersion: hello.softwareVersion,
      nodeVersion: hello.nodeVersion,
      attachment: attached === undefined ? "" : attached.hello.attachment,
      resources: hello.resources ?? null,
      allowsLogStreaming: hello.allowsLogStreaming,
      privacy: hello.privacy ?? null,
      certificateEndsAtMs: this.#endOf(now),
      ...traffic.of(name),
      lastError: errors.of(name, study) ?? null,
      jobs: running.filter((job) => job.takesPart(name)).map((job) => job.jobId),
    };
  }

  #endOf(identity: Identity): number | null {
    const known = this.#ends.get(identity);
    if (known !== undefined) return known;
    const end = readEnd(identity);
    this.#ends.set(identity, end);
    return end;
  }
}

function disabledState({ by, at_ms, reason }: DisabledSite): Pick<SiteStatus, "state" | "sinceMs" | "reason"> {
  return { state: "disabled", sinceMs: at_ms, reason: `disabled by ${by}${reason === "" ? "" : `: ${reason}`}` };
}

/** A site that is kept out, and has not been seen since the server started. */
function unseenStatus(name: string, site: DisabledSite): SiteStatus {
  return {
    name,
    org: site.org ?? "",
    ...disabledState(site),
    relay: null,
    softwareVersion: "",
    nodeVersion: "",
    attachment: "",
    resources: null,
    allowsLogStreaming: false,
    privacy: null,
    certificateEndsAtMs: null,
    receivedBytes: 0,
    sentBytes: 0,
    receivedBytesPerSecond: null,
    sentBytesPerSecond: null,
    lastError: null,
    jobs: [],
  };
}

function readEnd({ chainPem }: Identity): number | null {
  try {
    return Date.parse(new X509Certificate(chainPem).validTo);
  } catch {
    return null;
  }
}

/** Entries that are not as they were told; notes what is told now. */
function changed<T>(told: Map<string, string>, entries: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  return entries.filter((entry) => {
    const key = keyOf(entry);
    const text = JSON.stringify(entry);
    if (told.get(key) === text) return false;
    told.set(key, text);
    return true;
  });
}

function hasLost(told: ReadonlyMap<string, string>, sites: readonly SiteStatus[]): boolean {
  const present = new Set(sites.map(({ name }) => name));
  return [...told.keys()].some((name) => !present.has(name));
}

function removed(told: Map<string, string>, jobs: readonly JobSummary[]): readonly string[] {
  const present = new Set(jobs.map(({ jobId }) => jobId));
  const gone = [...told.keys()].filter((jobId) => !present.has(jobId));
  for (const jobId of gone) told.delete(jobId);
  return gone;
}

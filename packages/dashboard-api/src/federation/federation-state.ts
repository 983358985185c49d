import type { JobSummary, SiteStatus, SystemChange } from "@flare-ts/runtime/admin";
import type { Federation, LinkState, WorkingSite } from "../contract/federation.js";
import type { Job } from "../contract/jobs.js";

/** Who submitted a job through the dashboard. */
export interface Submitter {
  readonly name: string;
  readonly organization: string;
}

/** What is known of the federation, put together from what the server tells. */
export class FederationState {
  readonly #submitterOf: (jobId: string) => Submitter | undefined;
  readonly #sites = new Map<string, WorkingSite>();
  /** In the order in which they are shown: the newest first. */
  #jobs = new Map<string, Job>();
  #server: Federation["server"] = null;

  constructor(components: { readonly submitterOf: (jobId: string) => Submitter | undefined }) {
    this.#submitterOf = components.submitterOf;
  }

  view(link: LinkState, atMs: number): Federation {
    return { link, server: this.#server, sites: [...this.#sites.values()], jobs: [...this.#jobs.values()], atMs };
  }

  /** Ids of the jobs that are not over. */
  openJobs(): readonly string[] {
    return [...this.#jobs.values()].filter(({ endedAtMs }) => endedAtMs === null).map(({ id }) => id);
  }

  /** Takes a change over, and gives what of it is to be told. */
  take({ isWhole, server, sites, jobs, removedJobs }: SystemChange): {
    readonly sites: readonly WorkingSite[];
    readonly jobs: readonly Job[];
    readonly removed: readonly string[];
  } {
    if (isWhole) {
      this.#sites.clear();
      this.#jobs.clear();
    }
    this.#server = { ...server };
    const changedSites = sites.map(siteFrom);
    for (const site of changedSites) this.#sites.set(site.name, site);
    const changedJobs = jobs.map((job) => jobFromSummary(job, this.#submitterOf(job.jobId)));
    for (const job of changedJobs) this.#jobs.set(job.id, job);
    for (const jobId of removedJobs) this.#jobs.delete(jobId);
    if (changedJobs.length > 0) {
      this.#jobs = new Map([...this.#jobs].sort(([, a], [, b]) => b.submittedAtMs - a.submittedAtMs || (a.id < b.id ? -1 : 1)));
    }
    return { sites: changedSites, jobs: changedJobs, removed: removedJobs };
  }
}

/** A job as pages see it: of the person who submitted it, even though the dashboard signed it. */
export function jobFromSummary(summary: JobSummary, submitter: Submitter | undefined): Job {
  return {
    id: summary.jobId,
    name: summary.name,
    status: summary.status,
    submitter: submitter?.name ?? summary.submitterName,
    organization: submitter?.organization ?? summary.submitterOrg,
    submittedAtMs: summary.submitTimeMs,
    startedAtMs: summary.startTimeMs,
    endedAtMs: summary.endTimeMs,
    reason: summary.reason,
    sites: [...summary.sites],
    progress: { ...summary.progress },
  };
}

function privacyFrom(privacy: NonNullable<SiteStatus["privacy"]> | null): WorkingSite["privacy"] {
  return privacy === null ? null : { ...privacy, scopes: [...privacy.scopes] };
}

/** What only commands need stays here. */
function siteFrom({ org, attachment: _attachment, nodeVersion: _nodeVersion, ...site }: SiteStatus): WorkingSite {
  return {
    ...site,
    organization: org,
    // Servers of older versions say nothing of it.
    relay: site.relay ?? null,
    privacy: privacyFrom(site.privacy ?? null),
    resources: site.resources === null ? null : { ...site.resources },
    lastError: site.lastError === null ? null : { ...site.lastError },
    jobs: [...site.jobs],
  };
}

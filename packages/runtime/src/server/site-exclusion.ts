import { FlareError } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
import type { Identity } from "../session/identity.js";
import type { DisabledSite, DisabledSites } from "./disabled-sites.js";
import type { JobTable } from "./job-table.js";
import type { ServerJob } from "./server-job.js";

export interface SiteExclusionComponents {
  readonly disabled: Pick<DisabledSites, "get" | "all">;
  readonly jobs: Pick<JobTable, "all">;
  /** Ids of the live sessions of a name. */
  readonly sessionsOf: (name: string) => readonly string[];
  readonly disconnect: (sessionId: string, reason: string) => void;
  readonly logger: Logger;
}

/** Makes good what it means that a site is disabled: it gets no session, loses those that it has, and leaves its jobs. */
export class SiteExclusion {
  readonly #parts: SiteExclusionComponents;

  constructor(components: SiteExclusionComponents) {
    this.#parts = components;
  }

  /** @throws FlareError `auth/site-disabled` */
  requireEnabled({ name, kind }: Pick<Identity, "name" | "kind">): void {
    const entry = kind === "client" ? this.#parts.disabled.get(name) : undefined;
    if (entry !== undefined) throw refusal(name, entry);
  }

  /** A site was disabled just now. Returns the jobs that it had to leave. */
  async exclude(site: string): Promise<readonly string[]> {
    const { jobs, sessionsOf, disconnect, disabled } = this.#parts;
    const entry = disabled.get(site);
    if (entry === undefined) return [];
    const left = jobs.all().filter((job) => job.takesPart(site));
    // They are told that the jobs are over, as far as that still reaches them.
    await Promise.all(left.map((job) => this.#release(job, site, entry)));
    for (const sessionId of sessionsOf(site)) disconnect(sessionId, refusal(site, entry).message);
    return left.map(({ jobId }) => jobId);
  }

  /** A job begins, or goes on after a restart, which may have come between a site's being disabled and its leaving. */
  async keep(job: Pick<ServerJob, "jobId" | "apps" | "takesPart" | "releaseSite">): Promise<void> {
    for (const [site, entry] of this.#parts.disabled.all()) if (job.takesPart(site)) await this.#release(job, site, entry);
  }

  async #release(job: Pick<ServerJob, "jobId" | "releaseSite">, site: string, entry: DisabledSite): Promise<void> {
    await job
      .releaseSite(site, refusal(site, entry))
      .catch((reason: unknown) =>
        this.#parts.logger.error("journal could not be written", { job: job.jobId, site, error: errorField(FlareError.from(reason)) }),
      );
  }
}

function refusal(site: string, { by, at_ms, reason }: DisabledSite): FlareError {
  const since = new Date(at_ms).toISOString();
  return new FlareError("auth/site-disabled", `${site} was disabled by ${by} on ${since}${reason === "" ? "" : `: ${reason}`}.`, {
    facts: { site, by, since, ...(reason === "" ? {} : { reason }) },
  });
}

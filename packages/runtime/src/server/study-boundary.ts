import { FlareError } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
import type { ServerStore } from "../store/server-store.js";
import type { Studies } from "../study/studies.js";
import type { StudyRegistry } from "../study/study-registry.js";
import { requireMember } from "../study/study-rights.js";
import type { Caller } from "./command-gate.js";
import type { JobTable } from "./job-table.js";
import type { ObjectGrants } from "./object-grants.js";
import type { ServerJob } from "./server-job.js";

export interface StudyBoundaryComponents {
  readonly registry: Pick<StudyRegistry, "studies" | "follow">;
  readonly jobs: Pick<JobTable, "all">;
  readonly store: Pick<ServerStore, "jobs">;
  readonly grants: Pick<ObjectGrants, "revokeFor">;
  readonly logger: Logger;
}

/** What was granted to an admin for the sake of a job. */
export const grantsOfAdmin = (jobId: string): readonly string[] => [`download:${jobId}`, `clone:${jobId}`];

/** Makes good what a change of a study means for what is under way. */
export class StudyBoundary {
  readonly #parts: StudyBoundaryComponents;

  constructor(components: StudyBoundaryComponents) {
    this.#parts = components;
  }

  /** A study has changed: sites that are not in it any more leave its jobs, and who was a user may read nothing of it. */
  async enforce(study: string, before: Studies): Promise<void> {
    const { registry, jobs, store, grants } = this.#parts;
    const gone = (before.get(study)?.users ?? []).filter((user) => !registry.studies.hasUser(study, user));
    if (gone.length > 0) {
      for (const { jobId } of await store.jobs({ study })) {
        for (const user of gone) for (const reason of grantsOfAdmin(jobId)) grants.revokeFor(user, reason);
      }
    }
    await Promise.all(jobs.all().map((job) => this.keep(job)));
  }

  /** Lets the sites of a running job go that are not in its study; the others go on as its quorum allows. */
  async keep(job: Pick<ServerJob, "jobId" | "study" | "apps" | "releaseSite">): Promise<void> {
    const { registry, logger } = this.#parts;
    for (const site of Object.keys(job.apps)) {
      if (registry.studies.hasSite(job.study, site)) continue;
      const error = new FlareError("study/site-removed", `${site} was removed from study '${job.study}'.`, {
        facts: { site, study: job.study },
      });
      await job
        .releaseSite(site, error)
        .catch((reason: unknown) =>
          logger.error("journal could not be written", { job: job.jobId, site, error: errorField(FlareError.from(reason)) }),
        );
    }
  }

  /** Aborts, with the reason, when an admin is not a user of the study any more. */
  membership({ identity, study }: Caller): { readonly signal: AbortSignal; readonly end: () => void } {
    const { registry } = this.#parts;
    const lost = new AbortController();
    const look = (): void => {
      try {
        requireMember(registry.studies, study, identity);
      } catch (reason) {
        lost.abort(reason);
      }
    };
    const end = registry.follow(look);
    look();
    return { signal: lost.signal, end };
  }
}

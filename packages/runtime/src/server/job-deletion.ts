import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { isFinished } from "../job/job-status.js";
import type { OutputArchive } from "../output/output-archive.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { ServerStore } from "../store/server-store.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { ObjectGrants } from "./object-grants.js";
import { grantsOfAdmin } from "./study-boundary.js";

export interface JobDeletionComponents {
  readonly hub: Pick<JournalHub, "deleteJob">;
  readonly jobs: Pick<JobTable, "get">;
  readonly store: Pick<ServerStore, "job">;
  readonly grants: Pick<ObjectGrants, "revokeJob">;
  readonly retention: Pick<ObjectRetention, "release">;
  readonly archive: Pick<OutputArchive, "remove">;
}

/** Removes jobs that are over, with everything that only they need. */
export class JobDeletion {
  readonly #parts: JobDeletionComponents;
  readonly #workspace: string;

  constructor(components: JobDeletionComponents, init: { readonly workspace: string }) {
    this.#parts = components;
    this.#workspace = init.workspace;
  }

  /** @throws FlareError `job/not-over`, `job/not-found` */
  async delete(jobId: string): Promise<void> {
    const { hub, jobs, store, grants, retention, archive } = this.#parts;
    const job = await store.job(jobId);
    // Also while the processes of one that has ended are still being stopped.
    if (jobs.get(jobId) !== undefined || (job !== undefined && !isFinished(job.status))) throw notOver(jobId);
    // Its files before its record, without which nobody would ever come back for those that are left.
    if (job !== undefined) {
      await archive.remove(jobId);
      await rm(join(this.#workspace, jobId), { recursive: true, force: true });
    }
    if (!(await hub.deleteJob(jobId))) throw notOver(jobId);
    for (const reason of [jobId, ...grantsOfAdmin(jobId)]) grants.revokeJob(reason);
    await retention.release(`job:${jobId}`);
  }
}

function notOver(jobId: string): FlareError {
  return new FlareError("job/not-over", `Job ${jobId} is not over.`, { facts: { job: jobId } });
}

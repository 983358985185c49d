import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { archiveFolder } from "@flare-ts/provision";
import {
  abortJob,
  cloneJob,
  deleteJob,
  downloadJobResult,
  getJob,
  type Job,
  listJobs,
  listJobTemplates,
  type OwnJob,
  submitJobTemplate,
  uploadJob,
} from "../contract/jobs.js";
import type { DashboardParts } from "../dashboard-parts.js";
import type { Actor } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { actionsOn, maySubmit, requireRight } from "./job-permissions.js";
import { jobOf, summaryToJob } from "./read-job.js";
import { unpackJob } from "./unpack-job.js";

/** Jobs listed where nobody says how many. */
const listedJobs = 200;

/** Jobs: submitted, listed, ended, repeated, deleted, and their results. */
export function implementJobs(parts: DashboardParts): readonly Implementation[] {
  const { federation } = parts;
  const { link, templates, transfers } = federation;
  return [
    implement(listJobs, async ({ actor, query }) => {
      requireRight(actor, "list_jobs");
      const { status, name, mine, limit = listedJobs } = query;
      const found = await link.admin().listJobs({
        isReversed: true,
        // Whose a job is, is known here alone: a filter by that comes after.
        ...(mine === "true" ? {} : { limit }),
        ...(status === undefined ? {} : { statuses: [status] }),
        ...(name === undefined ? {} : { namePrefix: name }),
      });
      const jobs = found.map((job) => summaryToJob(parts, job));
      const shown = mine === "true" ? jobs.filter(({ submitter }) => submitter === actor.email).slice(0, limit) : jobs;
      return { jobs: shown.map((job) => own(actor, job)), maySubmit: maySubmit(actor) };
    }),
    implement(listJobTemplates, async () => ({ templates: [...(await templates.list())] })),
    implement(getJob, async ({ actor, params }) => {
      requireRight(actor, "get_job_meta");
      return own(actor, await jobOf(parts, params.id));
    }),
    implement(uploadJob, async ({ actor, body }) => {
      requireSubmit(actor);
      // Told before anything is read.
      link.admin();
      return await inTransfer(parts, actor, async (dir) => submit(parts, actor, await unpackJob(body, dir, parts.stopping)));
    }),
    implement(submitJobTemplate, async ({ actor, body }) => {
      requireSubmit(actor);
      const { template, name, rounds, minSites } = body;
      return await inTransfer(parts, actor, async (dir) =>
        submit(parts, actor, await templates.write(template, { name, rounds, minSites }, dir)),
      );
    }),
    implement(abortJob, async ({ actor, params, body }) => {
      const job = await jobOf(parts, params.id);
      requireRight(actor, "abort_job", job);
      const reason = [`by ${actor.email}`, body.reason].filter((part) => part !== "").join(": ");
      await link.admin().abortJob(job.id, reason);
      await note(parts, actor, "jobs.abort", job, { reason: body.reason });
      return own(actor, await jobOf(parts, job.id));
    }),
    implement(cloneJob, async ({ actor, params }) => {
      const job = await jobOf(parts, params.id);
      requireRight(actor, "clone_job", job);
      requireSubmit(actor);
      const admin = link.admin();
      const copy = await submitAs(parts, actor, (newJobId) => admin.cloneJob(job.id, { newJobId }));
      await note(parts, actor, "jobs.clone", copy, { of: job.id });
      return own(actor, copy);
    }),
    implement(deleteJob, async ({ actor, params }) => {
      const job = await jobOf(parts, params.id);
      requireRight(actor, "delete_job", job);
      await link.admin().deleteJob(job.id);
      await federation.submitters.forget(job.id);
      await note(parts, actor, "jobs.delete", job, {});
    }),
    implement(downloadJobResult, async ({ actor, params }) => {
      const job = await jobOf(parts, params.id);
      requireRight(actor, "download_job", job);
      const admin = link.admin();
      const { dir, remove } = await transfers.take(actor.personId);
      try {
        const result = await admin.downloadJob(job.id, dir, { signal: parts.stopping });
        const file = join(dir, "result.zip");
        await archiveFolder({ dir: result.dir, under: job.id, file, modified: new Date(job.endedAtMs ?? 0), signal: parts.stopping });
        const { size } = await stat(file);
        await note(parts, actor, "jobs.download", job, { bytes: size });
        const body = createReadStream(file);
        body.once("close", () => void remove().catch((err: unknown) => parts.logger.warn({ err }, "a download left files behind")));
        return {
          headers: { "content-length": String(size), "content-disposition": `attachment; filename="${fileNameOf(job)}"` },
          body,
        };
      } catch (error) {
        await remove();
        throw error;
      }
    }),
  ];
}

function own(actor: Actor, job: Job): OwnJob {
  return { ...job, may: actionsOn(actor, job) };
}

function requireSubmit(actor: Actor): void {
  requireRight(actor, "submit_job");
  requireRight(actor, "byoc");
}

async function submit(parts: DashboardParts, actor: Actor, folder: string): Promise<OwnJob> {
  const admin = parts.federation.link.admin();
  const job = await submitAs(parts, actor, (jobId) => admin.submitJob(folder, { jobId, signal: parts.stopping }));
  await note(parts, actor, "jobs.submit", job, {});
  return own(actor, job);
}

/** Submits under an id that is a person's from the first moment. */
async function submitAs(parts: DashboardParts, actor: Actor, send: (jobId: string) => Promise<{ readonly jobId: string }>): Promise<Job> {
  const { submitters } = parts.federation;
  const jobId = randomUUID();
  await submitters.note(jobId, actor);
  try {
    await send(jobId);
  } catch (reason) {
    // After a cut nobody knows whether the server has the job; what it refused is nobody's.
    if (!FlareError.from(reason).row.isRetryable) await submitters.forget(jobId);
    throw reason;
  }
  parts.changes.publish("jobs");
  return await jobOf(parts, jobId);
}

async function note(
  parts: DashboardParts,
  actor: Actor,
  action: string,
  job: Pick<Job, "id" | "name">,
  facts: Readonly<Record<string, string | number>>,
): Promise<void> {
  await parts.audit.write(parts.db, { actor, action, subject: job.id, facts: { name: job.name, ...facts } });
  parts.changes.publish("audit");
}

async function inTransfer<T>(parts: DashboardParts, actor: Actor, work: (dir: string) => Promise<T>): Promise<T> {
  const { dir, remove } = await parts.federation.transfers.take(actor.personId);
  try {
    return await work(dir);
  } finally {
    await remove();
  }
}

/** A name that every file system takes. */
function fileNameOf({ name, id }: Job): string {
  const plain = name
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);
  return `${plain === "" ? "job" : plain}-${id.slice(0, 8)}.zip`;
}

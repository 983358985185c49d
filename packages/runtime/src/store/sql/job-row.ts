import { type ContentHash, FlareError } from "@flare-ts/contracts";
import type { Insertable, Selectable, Updateable } from "kysely";
import { isFinished, type JobStatus } from "../../job/job-status.js";
import type { JobChange, JobRecord, NewJob } from "../server-store.js";
import { fromJsonText, toJsonText, toNumber, toOptionalNumber } from "./columns.js";
import type { JobsTable } from "./server-tables.js";

/** The record that a row stands for. */
export function jobFromRow(row: Selectable<JobsTable>): JobRecord {
  return {
    jobId: row.job_id,
    name: row.name,
    study: row.study,
    status: row.status as JobStatus,
    submitterName: row.submitter_name,
    submitterOrg: row.submitter_org,
    submitterRole: row.submitter_role,
    submitTimeMs: toNumber(row.submit_time_ms),
    startTimeMs: toOptionalNumber(row.start_time_ms),
    endTimeMs: toOptionalNumber(row.end_time_ms),
    reason: row.reason,
    signedJob: { hash: row.signed_job_hash as ContentHash, size: toNumber(row.signed_job_size) },
    apps: fromJsonText(row.apps) as JobRecord["apps"],
    result:
      row.result_hash === null || row.result_size === null
        ? undefined
        : { hash: row.result_hash as ContentHash, size: toNumber(row.result_size) },
  };
}

/** The row of a job that was just submitted. */
export function rowFromNewJob(job: NewJob, position: number): Insertable<JobsTable> {
  return {
    job_id: job.jobId,
    position,
    name: job.name,
    study: job.study,
    status: "SUBMITTED" satisfies JobStatus,
    is_finished: 0,
    submitter_name: job.submitterName,
    submitter_org: job.submitterOrg,
    submitter_role: job.submitterRole,
    submit_time_ms: job.submitTimeMs,
    start_time_ms: null,
    end_time_ms: null,
    reason: "",
    signed_job_hash: job.signedJob.hash,
    signed_job_size: job.signedJob.size,
    apps: toJsonText({}),
    result_hash: null,
    result_size: null,
    last_seq: 0,
  };
}

/** The columns that a change sets; keys that the change does not have stay as they are. */
export function columnsFromChange(change: JobChange): Updateable<JobsTable> {
  return {
    ...(change.status === undefined ? {} : { status: change.status, is_finished: isFinished(change.status) ? 1 : 0 }),
    ...("startTimeMs" in change ? { start_time_ms: change.startTimeMs ?? null } : {}),
    ...("endTimeMs" in change ? { end_time_ms: change.endTimeMs ?? null } : {}),
    ...(change.reason === undefined ? {} : { reason: change.reason }),
    ...(change.apps === undefined ? {} : { apps: toJsonText(change.apps) }),
    ...("result" in change ? { result_hash: change.result?.hash ?? null, result_size: change.result?.size ?? null } : {}),
  };
}

/** The error for an id that no job has. */
export function jobNotFound(jobId: string): FlareError {
  return new FlareError("job/not-found", `There is no job ${jobId}.`, { facts: { jobId } });
}

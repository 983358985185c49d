/** FLARE's job statuses. */
export const jobStatuses = [
  "SUBMITTED",
  "DISPATCHED",
  "RUNNING",
  "FINISHED:COMPLETED",
  "FINISHED:ABORTED",
  "FINISHED:EXECUTION_EXCEPTION",
  "FINISHED:ABNORMAL",
  "FINISHED:CAN_NOT_SCHEDULE",
  "FINISHED:FAILED_TO_RUN",
] as const;

/** One of FLARE's job statuses. */
export type JobStatus = (typeof jobStatuses)[number];

/** Whether a job with this status is over. */
export function isFinished(status: JobStatus): boolean {
  return status.startsWith("FINISHED:");
}

import { z } from "zod";

/** FLARE's settings of a job's runtime that have no counterpart: they are accepted, do nothing, and are named in a warning. */
const ignoredSettings = [
  "server",
  "client",
  "runner_sync_timeout",
  "max_runner_sync_timeout",
  "task_check_timeout",
  "task_check_interval",
  "get_task_timeout",
  "submit_task_result_timeout",
  "job_heartbeat_interval",
  "end_run_readiness_timeout",
  "end_run_readiness_check_interval",
  "task_request_interval",
  "np_download_chunk_size",
  "tensor_download_chunk_size",
  "download_chunk_size",
  "min_download_timeout",
  "strict_start_job_reply_check",
  "sync_client_jobs_require_previous_report",
] as const;

/** Part of a schema that lets them through. */
export const ignoredSettingsShape = Object.fromEntries(ignoredSettings.map((name) => [name, z.unknown().optional()])) as Record<
  (typeof ignoredSettings)[number],
  z.ZodOptional<z.ZodUnknown>
>;

/** Those that a document has and that are not empty. */
export function ignoredSettingsIn(document: Readonly<Record<string, unknown>>): readonly string[] {
  return ignoredSettings.filter((name) => document[name] !== undefined && !isEmpty(document[name]));
}

/** Whether a value says nothing: `null`, `""`, `[]`, `{}`, or an object of such values. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}

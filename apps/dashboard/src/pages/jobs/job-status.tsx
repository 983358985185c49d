import { StatusPill, type Tone } from "../../components/status-pill.js";

const looks: Readonly<Record<string, readonly [Tone, string]>> = {
  SUBMITTED: ["idle", "queued"],
  DISPATCHED: ["live", "starting"],
  RUNNING: ["live", "running"],
  "FINISHED:COMPLETED": ["good", "completed"],
  "FINISHED:ABORTED": ["warn", "aborted"],
  "FINISHED:EXECUTION_EXCEPTION": ["bad", "failed"],
  "FINISHED:ABNORMAL": ["bad", "ended abnormally"],
  "FINISHED:CAN_NOT_SCHEDULE": ["bad", "could not be scheduled"],
  "FINISHED:FAILED_TO_RUN": ["bad", "failed to start"],
};

/** A job's status in a word of everyday use; the exact one on pointing. */
export function JobStatus({ status }: { readonly status: string }) {
  const [tone, text] = looks[status] ?? (["idle", status] as const);
  return (
    <StatusPill tone={tone} title={status}>
      {text}
    </StatusPill>
  );
}

/** Whether a job with this status is over. */
export function isOver(status: string): boolean {
  return status.startsWith("FINISHED:");
}

import { FlareError } from "@flare-ts/contracts";
import { plainText } from "../../terminal/plain-text.js";

/** How a job came to its end. */
export interface JobEnd {
  readonly status: string;
  readonly reason: string;
}

/**
 * Says how a job ended.
 *
 * @throws FlareError `cli/job-not-completed`
 */
export function endText(jobId: string, { status, reason }: JobEnd): string {
  if (status === "FINISHED:COMPLETED") return `job ended: ${status}${reason === "" ? "" : ` (${plainText(reason)})`}`;
  throw new FlareError("cli/job-not-completed", `Job ${jobId} ended as ${status}: ${reason}`, { facts: { jobId, status, reason } });
}

import type { FlareError } from "@flare-ts/contracts";
import type { JobStatus } from "../job/job-status.js";

/** How far an upload or a download is. */
export interface TransferProgress {
  /** Path inside the job or the result. */
  readonly file: string;
  /** Bytes of this file that are through. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface TransferOptions {
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Hears why the server is away; the transfer goes on when it is back. */
  readonly onAway?: ((reason: FlareError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DownloadOptions extends TransferOptions {
  /** Whether a result that is there gives way, once the new one is whole. @default false */
  readonly isReplacing?: boolean;
}

/** Which id a job is submitted under; a new one where it is not said. */
export interface SubmitOptions extends TransferOptions {
  readonly jobId?: string | undefined;
  /** In place of an id, anything that names this submission among those of its submitter in the study: the id then follows from it. */
  readonly submitToken?: string | undefined;
}

export interface ListJobsFilter {
  /** Only the job that this admin has submitted with this token. */
  readonly submitToken?: string;
  readonly statuses?: readonly JobStatus[];
  readonly idPrefix?: string;
  readonly namePrefix?: string;
  readonly isOnlyMine?: boolean;
  readonly isReversed?: boolean;
  readonly limit?: number;
}

export interface ReadOutputOptions {
  /** Only what comes after this number. @default 0 */
  readonly after?: number | undefined;
  /** @default 1000 */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came of the wish to abort a job. */
export interface AbortedJob {
  readonly status: JobStatus;
  /** Whether the job had ended before, so that nothing was done. */
  readonly wasOver: boolean;
}

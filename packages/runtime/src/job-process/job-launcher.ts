import type { MessageChannel } from "./message-channel.js";

/** Starts job processes: as child processes, in containers, or through a batch system. */
export interface JobLauncher {
  /** @throws FlareError `runtime/job-process-start` */
  launch(init: JobLaunch): Promise<JobProcess>;
}

export interface JobLaunch {
  readonly kind: "server" | "site";
  readonly jobId: string;
  /** The one folder in which the job process may write; it is also its working directory. Its output goes to `log.txt` inside. */
  readonly workspace: string;
  /** Further files and folders that it may read. */
  readonly readable: readonly string[];
}

/** A job process that was started. */
export interface JobProcess {
  /** The line to it; closing it makes the process exit. */
  readonly channel: MessageChannel;
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly exited: Promise<JobProcessExit>;
  kill(signal: NodeJS.Signals): void;
}

export interface JobProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Exit statuses of job processes; the meanings are FLARE's. */
export const jobExitStatus = {
  ok: 0,
  aborted: 9,
  exception: 101,
  unsafeJob: 102,
  configError: 103,
} as const;

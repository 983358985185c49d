import type { ContentHash, JobMeta, Problem } from "@flare-ts/contracts";

/** A job folder that was read and found right. */
export interface JobFolder {
  readonly name: string;
  /** Name of the folder itself. */
  readonly folderName: string;
  readonly meta: JobMeta;
  /** App folders that the deploy map names. */
  readonly apps: readonly JobApp[];
  /** Every file, sorted by path. */
  readonly files: readonly JobFolderFile[];
  /** What is accepted but has no effect. */
  readonly warnings: readonly Problem[];
}

export interface JobApp {
  /** Name of the app's folder. */
  readonly name: string;
  readonly runsOnServer: boolean;
  readonly runsOnSites: boolean;
  /** Whether it brings code of its own: files in `custom/`, or a `command`; submitter and sites need the right `byoc`. */
  readonly bringsCode: boolean;
}

/** A file of a job, as it is listed and signed. */
export interface JobFile {
  /** Relative to the job folder, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: ContentHash;
}

export interface JobFolderFile extends JobFile {
  /** Where it lies on this machine. */
  readonly absolutePath: string;
}

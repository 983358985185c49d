import type { JobStatus } from "../job/job-status.js";

/** A job, as admins see it. */
export interface JobSummary {
  readonly jobId: string;
  readonly name: string;
  /** Study that it belongs to; not from servers of older versions. */
  readonly study?: string;
  readonly status: JobStatus;
  readonly submitterName: string;
  readonly submitterOrg: string;
  readonly submitterRole: string;
  readonly submitTimeMs: number;
  readonly startTimeMs: number | null;
  readonly endTimeMs: number | null;
  /** Why it ended as it did, or why it waits. */
  readonly reason: string;
  readonly sites: readonly string[];
  /** What each site last said of its task, for a job that runs: `waiting`, `training`, `uploading` with bytes done and in all. */
  readonly progress: Readonly<Record<string, SiteProgress>>;
}

/** How far a site is with its task. */
export interface SiteProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What it waits for, or what moved last, and how long ago. */
  readonly reason: string;
  readonly stillMs: number;
  readonly atMs: number;
}

/** One file of a finished job's result. */
export interface ResultFile {
  /** Path inside the result's folder. */
  readonly path: string;
  readonly hash: string;
  readonly size: number;
  /** Absent where it is a model. */
  readonly kind?: "statistics";
}

/** A site, as the server knows it. */
export interface SiteStatus {
  readonly name: string;
  readonly org: string;
  /** `disabled`: an admin has had the server keep it out. */
  readonly state: "connected" | "disconnected" | "disabled";
  readonly sinceMs: number;
  /** Why it is not connected. */
  readonly reason: string;
  /** The relay that it comes by: of several in a row the one next to the server. Not from servers of older versions. */
  readonly relay?: string | null;
  readonly softwareVersion: string;
  /** Not of sites and servers of older versions, nor is what follows. */
  readonly nodeVersion?: string;
  /** Names this attachment of the site, in commands for it; empty while it is away, and for one that takes none. */
  readonly attachment?: string;
  /** As its kit says; `null` for a site that does not tell. */
  readonly resources: { readonly gpus: number; readonly memPerGpuGiB: number } | null;
  /** Whether its operator lets log lines of jobs be read from afar. */
  readonly allowsLogStreaming: boolean;
  /**
   * Scopes of its privacy policy that a job may name, and that of jobs that name none; `null` for a site without a policy. Not from servers of
   * older versions.
   */
  readonly privacy?: {
    readonly scopes: readonly string[];
    readonly defaultScope: string | null;
    /** Scopes that let updates out only where they are added without being read, with the least number of sites of a sum. */
    readonly secureMinSites?: Readonly<Record<string, number>>;
  } | null;
  readonly certificateEndsAtMs: number | null;
  /** Bytes of models and updates since the server started: from the site to the server, and back. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Bytes per second of the last transfer that was large enough to tell. */
  readonly receivedBytesPerSecond: number | null;
  readonly sentBytesPerSecond: number | null;
  /** The last thing that went wrong there since the server started. */
  readonly lastError: {
    readonly atMs: number;
    readonly code: string;
    readonly message: string;
    readonly todo: string;
    readonly jobId: string | null;
  } | null;
  /** Ids of the jobs that run there. */
  readonly jobs: readonly string[];
}

/** What the server says of itself. */
export interface ServerStatus {
  readonly name: string;
  readonly project: string;
  readonly startedAtMs: number;
  readonly softwareVersion: string;
  /** Not of servers of older versions. */
  readonly nodeVersion?: string;
  /** Bytes of models, updates and jobs since the server started. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What the server says of itself and its sites. */
export interface SystemStatus {
  readonly server: ServerStatus;
  /**
   * The server's certificate in force with those between it and a root; PEM. While two roots are trusted it is not yet the one that the
   * server shows to who connects. Not from servers of older versions.
   */
  readonly serverChainPem?: string;
  readonly sites: readonly SiteStatus[];
  readonly runningJobs: readonly string[];
  /** Jobs that do not run yet, with the reason. Not from servers of older versions, nor is what follows. */
  readonly waitingJobs?: readonly { readonly jobId: string; readonly reason: string }[];
  /** Transfers that wait for room, in their order. */
  readonly waitingTransfers?: readonly { readonly who: string; readonly what: string; readonly reason: string; readonly sinceMs: number }[];
  /** What the server may hold, where that was set. */
  readonly budget?: { readonly maxMemoryBytes: number | null; readonly maxDiskBytes: number | null; readonly usedDiskBytes: number | null };
}

/** What changed in the federation. */
export interface SystemChange {
  /** The first one: it holds everything. */
  readonly isWhole: boolean;
  readonly server: ServerStatus;
  /** Sites that are new or changed. */
  readonly sites: readonly SiteStatus[];
  /** Jobs that are new or changed, the newest and those that are not over. */
  readonly jobs: readonly JobSummary[];
  /** Jobs that were deleted, or are not among the newest any more. */
  readonly removedJobs: readonly string[];
}

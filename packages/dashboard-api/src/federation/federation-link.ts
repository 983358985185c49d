import type { AdminSession } from "@flare-ts/runtime/admin";
import type { Federation, LinkState, WorkingSite } from "../contract/federation.js";
import type { Job, JobJournalEntry, JobLogLine, MetricPoint } from "../contract/jobs.js";

/** What the dashboard asks of the project's server. */
export type FederationAdmin = Pick<
  AdminSession,
  | "submitJob"
  | "listJobs"
  | "jobMeta"
  | "abortJob"
  | "cloneJob"
  | "deleteJob"
  | "downloadJob"
  | "jobEvents"
  | "jobMetrics"
  | "jobLogs"
  | "receipts"
  | "statistics"
  | "watchJob"
  | "watchJobOutput"
  | "watchSystem"
  | "updateTrust"
  | "listRenewals"
  | "completeRenewal"
  | "close"
>;

/** Something that changed in the federation. */
export type FederationNews =
  /** Everything may have changed: look at the view. */
  | { readonly kind: "snapshot" }
  | { readonly kind: "link"; readonly link: LinkState }
  | { readonly kind: "sites"; readonly sites: readonly WorkingSite[] }
  | { readonly kind: "jobs"; readonly jobs: readonly Job[]; readonly removed: readonly string[] }
  | { readonly kind: "job-events"; readonly jobId: string; readonly entries: readonly JobJournalEntry[] }
  | { readonly kind: "metrics"; readonly jobId: string; readonly points: readonly MetricPoint[] }
  | { readonly kind: "logs"; readonly jobId: string; readonly lines: readonly JobLogLine[] };

/** The dashboard's way to the project's server; it is there whether the server is or not. */
export interface FederationLink {
  state(): LinkState;
  /** What was last known. */
  view(): Federation;
  /** Hears what changes, until the returned function is called. */
  subscribe(listener: (news: FederationNews) => void): () => void;
  /** Has the log lines of a job told as news too, until the returned function is called. */
  followLogs(jobId: string): () => void;
  /** The live session. @throws FlareError `dashboard/federation-unreachable` with the reason */
  admin(): FederationAdmin;
  start(): void;
  stop(): Promise<void>;
}

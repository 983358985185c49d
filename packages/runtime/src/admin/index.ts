export type { JobEvent, JournalEntry, Metrics } from "../job/job-event.js";
export { isFinished, type JobStatus, jobStatuses } from "../job/job-status.js";
export type { LogSource, OutputLine, OutputNews, OutputPage, TrackedPoint } from "../output/job-output.js";
export { AdminSession, type ListJobsFilter, type ReadOutputOptions, type TransferOptions, type TransferProgress } from "./admin-session.js";
export { type ConnectAdminInit, connectAdmin } from "./connect-admin.js";
export type { JobSummary, ResultFile, ServerStatus, SiteStatus, SystemChange, SystemStatus } from "./job-summary.js";
export type { TrustUpdate } from "./trust-update.js";
export type { WaitingRenewal } from "./waiting-renewal.js";

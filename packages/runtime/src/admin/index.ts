export type { JobEvent, JournalEntry, Metrics } from "../job/job-event.js";
export { isFinished, type JobStatus, jobStatuses } from "../job/job-status.js";
export { AdminSession, type ListJobsFilter, type TransferOptions, type TransferProgress } from "./admin-session.js";
export { type ConnectAdminInit, connectAdmin } from "./connect-admin.js";
export type { JobSummary, ResultFile, SystemStatus } from "./job-summary.js";
export type { TrustUpdate } from "./trust-update.js";
export type { WaitingRenewal } from "./waiting-renewal.js";

export type { JobEvent, JournalEntry, Metrics } from "../job/job-event.js";
export { isFinished, type JobStatus, jobStatuses } from "../job/job-status.js";
export type { LogSource, OutputLine, OutputNews, OutputPage, TrackedPoint } from "../output/job-output.js";
export type { ReceiptVerdict, RoundReceipt } from "../receipt/round-receipt.js";
export type { SignedReceipt } from "../receipt/signed-receipt.js";
export {
  type AbortedJob,
  AdminSession,
  type ListJobsFilter,
  type ReadOutputOptions,
  type TransferOptions,
  type TransferProgress,
} from "./admin-session.js";
export { type ConnectAdminInit, connectAdmin } from "./connect-admin.js";
export type { JobReceipts } from "./job-receipts.js";
export type { JobSummary, ResultFile, ServerStatus, SiteStatus, SystemChange, SystemStatus } from "./job-summary.js";
export type { StudyDescription, StudyList, StudySites, StudySitesChange } from "./study-commands.js";
export type { TrustUpdate } from "./trust-update.js";
export type { WaitingRenewal } from "./waiting-renewal.js";

export type { StatisticName } from "@flare-ts/contracts/job";
export { type JobSites, selectJobSites } from "../job/deploy-map.js";
export type { JobEvent, JournalEntry, Metrics } from "../job/job-event.js";
export type { JobFolder } from "../job/job-folder.js";
export { isFinished, type JobStatus, jobStatuses } from "../job/job-status.js";
export {
  addToEvaluations,
  type CrossValidationResults,
  crossValidationResults,
  type EvaluatedModel,
  evaluationsOf,
  type KnownEvaluations,
  type MissingSite,
  type ModelEvaluation,
  noEvaluations,
  type SiteMetrics,
} from "../job/model-evaluations.js";
export { readJobFolder } from "../job/read-job-folder.js";
export type { MachineResources, OfferedGpus, OfferedToJobs } from "../operate/machine-resources.js";
export { type LevelWord, levelWords } from "../operate/operation-arguments.js";
export type { LogSource, OutputLine, OutputNews, OutputPage, TrackedPoint } from "../output/job-output.js";
export type { ReceiptVerdict, RoundReceipt } from "../receipt/round-receipt.js";
export type { SignedReceipt } from "../receipt/signed-receipt.js";
export type { StatisticsBin, StatisticValue } from "../statistics/feature-groups.js";
export type { GroupStatistics, HierarchicalStatistics, HierarchyMember } from "../statistics/hierarchical-result.js";
export { isHierarchical, type StatisticsGroup, statisticsByGroup } from "../statistics/statistics-by-group.js";
export type { StatisticsResult } from "../statistics/statistics-result.js";
export type { JobTrace, LongestWait, RoundTrace, StepTrace, TaskOutcome, TaskTrace, TraceSpan } from "../trace/job-trace.js";
export { otlpTrace } from "../trace/otlp.js";
export { traceJournal } from "../trace/trace-journal.js";
export type {
  AbortedJob,
  DownloadOptions,
  ListJobsFilter,
  ReadOutputOptions,
  SubmitOptions,
  TransferOptions,
  TransferProgress,
} from "./admin-options.js";
export { AdminSession } from "./admin-session.js";
export { type ConnectAdminInit, connectAdmin } from "./connect-admin.js";
export type { EvaluationFile } from "./evaluation-files.js";
export type { JobReceipts } from "./job-receipts.js";
export type { JobSummary, ResultFile, ServerStatus, SiteStatus, SystemChange, SystemStatus } from "./job-summary.js";
export type { DownloadedJob, JobStatistics } from "./job-transfers.js";
export type { EndOptions, OperationOptions, OperationOutcome, OperationTarget, SiteAdmission } from "./operation-outcomes.js";
export type { StudyDescription, StudyList, StudySites, StudySitesChange } from "./study-commands.js";
export type { TrustUpdate } from "./trust-update.js";
export type { WaitingRenewal } from "./waiting-renewal.js";

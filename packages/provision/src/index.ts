export {
  type ArchiveFolderInit,
  type ArchiveLimits,
  archiveFolder,
  createPassphrase,
  type ExtractArchiveInit,
  extractArchive,
  kitLimits,
} from "./archive/index.js";
export {
  type CertificateCondition,
  type CertificateKind,
  type CertificateStatus,
  kitCertificateStatus,
  type ProjectStatus,
  type ProjectStatusInit,
  projectCertificateStatus,
} from "./authority/certificate-status.js";
export type { ChangeInit, PublishedTrust } from "./authority/change-state.js";
export { type CheckCaKeyInit, checkCaKey } from "./authority/check-ca-key.js";
export {
  type ExternalCaInit,
  type ExternalCaResult,
  type ImportCaInit,
  importCa,
  requestCa,
  type UseCaInit,
  useCa,
} from "./authority/external-ca.js";
export { findProjectFolder, type ProjectFolderInit } from "./authority/project-folder.js";
export { type ProjectTrustStatus, readProjectTrust } from "./authority/project-trust.js";
export { type RevokeInit, type RevokeResult, revokeParticipant } from "./authority/revoke.js";
export { type FinishRolloverInit, finishRollover, type StartRolloverInit, startRollover } from "./authority/rollover.js";
export { type RenewalToSign, type SignRenewalInit, signRenewal } from "./authority/sign-renewal.js";
export { type IssuedKit, type IssueKitInit, issueKit } from "./issue-kit.js";
export type { KitBuilder, KitPackager, PluginArguments, ProvisionContext } from "./plugins/provision-plugin.js";
export { type ParseOptions, parseProject } from "./project/parse-project.js";
export type {
  AdminParticipant,
  CertificateSettings,
  ClientParticipant,
  ConnectTo,
  ListeningHost,
  Participant,
  Project,
  RelayParticipant,
  ServerParticipant,
  Study,
} from "./project/project.js";
export {
  type KitArchive,
  type KitIdentity,
  type ProvisionedKit,
  type ProvisionInit,
  type ProvisionResult,
  provision,
} from "./provision.js";
export {
  type ApprovalResult,
  type ApproveRequestInit,
  type AuditOutcome,
  approveRequest,
  type CertificateRequestResult,
  type IdentityClaim,
  type InitAuthorityInit,
  type InitAuthorityResult,
  type InspectedRequest,
  type InspectRequestInit,
  initAuthority,
  inspectRequest,
  type PackageKitInit,
  type PackageKitResult,
  packageKit,
  type RequestCertificateInit,
  type RequestSummary,
  requestCertificate,
} from "./requests/index.js";
export type { CaKey, SealingPassphrase } from "./state/key-vault.js";
export type { CaKeySource, StoredKeys } from "./state/stored-keys.js";
export { lockWorkspace, workspaceLockName } from "./state/workspace-lock.js";

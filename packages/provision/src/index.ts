export { type KitArchive, type ProvisionedKit, type ProvisionInit, type ProvisionResult, provision } from "./provision.js";
export {
  type ApprovalResult,
  type ApproveRequestInit,
  type AuditOutcome,
  approveRequest,
  type CertificateRequestResult,
  type IdentityClaim,
  type InitAuthorityInit,
  type InitAuthorityResult,
  initAuthority,
  type PackageKitInit,
  type PackageKitResult,
  packageKit,
  type RequestCertificateInit,
  type RequestSummary,
  requestCertificate,
} from "./requests/index.js";

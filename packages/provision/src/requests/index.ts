export { type ApprovalResult, type ApproveRequestInit, approveRequest, type RequestSummary } from "./approve-request.js";
export type { AuditOutcome } from "./audit.js";
export type { IdentityClaim } from "./identity-claim.js";
export { type InitAuthorityInit, type InitAuthorityResult, initAuthority } from "./init-authority.js";
export { type InspectedRequest, type InspectRequestInit, inspectRequest } from "./inspect-request.js";
export { type PackageKitInit, type PackageKitResult, packageKit } from "./package-kit.js";
export { type CertificateRequestResult, type RequestCertificateInit, requestCertificate } from "./request-certificate.js";

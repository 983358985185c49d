export {
  type CertificatePurpose,
  type IntermediateInit,
  type Issuer,
  issueIntermediate,
  issueOwnCertificate,
  type OwnCertificateInit,
} from "./certificate.js";
export type { Validity } from "./certificate-content.js";
export { type IssueFromRequestInit, issueFromRequest } from "./issue-from-request.js";
export { createKeyPair, type KeyPair, keyPairFromPem, privateKeyPem } from "./key-pair.js";
export { type CertificateRequest, readRequest } from "./read-request.js";
export { createRequest, type RequestInit } from "./request.js";
export type { CertificateSubject } from "./subject.js";
